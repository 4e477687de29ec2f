// SPDX-License-Identifier: MIT
#include "consumers/notifications/push_encryption.hpp"

#include <array>
#include <memory>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/limits.hpp"

namespace vibes::consumers {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kAuthBytes = 16;
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::uint32_t kRecordBytes = 4'096;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  (void)::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text),
               text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

/// HKDF (RFC 5869) for what fits one hash.
std::string hkdf(std::string_view salt, std::string_view secret, std::string info,
                 std::size_t bytes) {
  info += '\x01';
  return hmac(hmac(salt, secret), info).substr(0, bytes);
}

std::string with_nul(std::string_view text) { return std::string(text) + '\0'; }

Result<std::string> aes128gcm(std::string_view key, std::string_view nonce, std::string_view text) {
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(::EVP_CIPHER_CTX_new(),
                                                                           ::EVP_CIPHER_CTX_free);
  std::string out(text.size() + kTagBytes, '\0');
  int size = 0;
  int last = 0;
  if (::EVP_EncryptInit_ex(context.get(), ::EVP_aes_128_gcm(), nullptr, bytes_of(key),
                           bytes_of(nonce)) != 1 ||
      ::EVP_EncryptUpdate(context.get(), bytes_of(out), &size, bytes_of(text),
                          static_cast<int>(text.size())) != 1 ||
      ::EVP_EncryptFinal_ex(context.get(), bytes_of(out) + size, &last) != 1 ||
      ::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                            bytes_of(out) + text.size()) != 1) {
    return fail(std::make_error_code(std::errc::io_error), "OpenSSL: encrypting failed");
  }
  return out;
}

}  // namespace

Result<std::string> encrypt_push(const PushKeys& keys, std::string_view text) {
  VIBES_TRY_ASSIGN(sender, EcKey::generate());
  std::string salt(kSaltBytes, '\0');
  if (::RAND_bytes(bytes_of(salt), kSaltBytes) != 1) {
    return fail(std::make_error_code(std::errc::io_error), "OpenSSL: no randomness");
  }
  return encrypt_push(keys, text, sender, salt);
}

Result<std::string> encrypt_push(const PushKeys& keys, std::string_view text, const EcKey& sender,
                                 std::string_view salt) {
  if (text.size() > limits::kPushPayloadBytesMax) {
    return fail(std::make_error_code(std::errc::message_size), "the push message");
  }
  if (keys.auth.size() != kAuthBytes) {
    return fail(std::make_error_code(std::errc::invalid_argument), "auth has 16 bytes");
  }
  VIBES_TRY_ASSIGN(receiver, EcKey::from_point(keys.p256dh));
  VIBES_TRY_ASSIGN(shared, sender.shared_secret(receiver));
  VIBES_TRY_ASSIGN(own_point, sender.point());
  const std::string secret =
      hkdf(keys.auth, shared, with_nul("WebPush: info") + keys.p256dh + own_point, 32);
  const std::string key = hkdf(salt, secret, with_nul("Content-Encoding: aes128gcm"), kKeyBytes);
  const std::string nonce = hkdf(salt, secret, with_nul("Content-Encoding: nonce"), kNonceBytes);
  constexpr char kLastRecord = '\x02';
  VIBES_TRY_ASSIGN(sealed, aes128gcm(key, nonce, std::string(text) + kLastRecord));
  std::string body(salt);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    body += static_cast<char>((kRecordBytes >> shift) & 0xffU);
  }
  body += static_cast<char>(own_point.size());
  return body + own_point + sealed;
}

}  // namespace vibes::consumers
