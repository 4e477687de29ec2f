// SPDX-License-Identifier: MIT
#include "consumers/notifications/ec_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

namespace vibes::consumers {
namespace {

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

constexpr std::size_t kPointBytes = 65;
constexpr std::size_t kScalarBytes = 32;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Unexpected broken(const char* what) {
  return fail(std::make_error_code(std::errc::io_error), std::string("OpenSSL: ") + what);
}
Unexpected no_key(const char* what) {
  return fail(std::make_error_code(std::errc::invalid_argument), what);
}

void free_bio(BIO* bio) { (void)::BIO_free(bio); }

}  // namespace

Result<EcKey> EcKey::generate() {
  EVP_PKEY* key = ::EVP_EC_gen("P-256");
  if (key == nullptr) {
    return broken("no key could be made");
  }
  return EcKey(key);
}

Result<EcKey> EcKey::from_point(std::string_view point) { return from_parts({}, point); }

Result<EcKey> EcKey::from_private(std::string_view scalar, std::string_view point) {
  if (scalar.size() != kScalarBytes) {
    return no_key("a private key on P-256 has 32 bytes");
  }
  return from_parts(scalar, point);
}

/// OpenSSL checks that the point lies on the curve.
Result<EcKey> EcKey::from_parts(std::string_view scalar, std::string_view point) {
  constexpr char kUncompressed = 4;
  if (point.size() != kPointBytes || point.front() != kUncompressed) {
    return no_key("a public key on P-256 is an uncompressed point of 65 bytes");
  }
  const Owned<OSSL_PARAM_BLD> build(::OSSL_PARAM_BLD_new(), ::OSSL_PARAM_BLD_free);
  const Owned<BIGNUM> number(
      ::BN_bin2bn(bytes_of(scalar), static_cast<int>(scalar.size()), nullptr), ::BN_clear_free);
  (void)::OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  (void)::OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                           point.size());
  if (!scalar.empty()) {
    (void)::OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get());
  }
  const Owned<OSSL_PARAM> params(::OSSL_PARAM_BLD_to_param(build.get()), ::OSSL_PARAM_free);
  const Owned<EVP_PKEY_CTX> context(::EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr),
                                    ::EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  const int selection = scalar.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
  if (::EVP_PKEY_fromdata_init(context.get()) != 1 ||
      ::EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    return no_key("no key on P-256");
  }
  return EcKey(key);
}

Result<EcKey> EcKey::from_pem(std::string_view pem) {
  const Owned<BIO> bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), free_bio);
  EVP_PKEY* key = ::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  if (key == nullptr) {
    return no_key("no private key in PEM");
  }
  EcKey made(key);
  VIBES_TRY_ASSIGN(point, made.point());
  if (point.size() != kPointBytes) {
    return no_key("the private key is not on P-256");
  }
  return made;
}

Result<std::string> EcKey::to_pem() const {
  const Owned<BIO> bio(::BIO_new(::BIO_s_mem()), free_bio);
  if (::PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
    return broken("the key could not be written");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::string> EcKey::point() const {
  unsigned char* bytes = nullptr;
  const std::size_t size = ::EVP_PKEY_get1_encoded_public_key(key_.get(), &bytes);
  if (size == 0) {
    return broken("the key has no point");
  }
  std::string point(reinterpret_cast<const char*>(bytes), size);
  ::OPENSSL_free(bytes);
  return point;
}

Result<std::string> EcKey::shared_secret(const EcKey& peer) const {
  const Owned<EVP_PKEY_CTX> context(::EVP_PKEY_CTX_new(key_.get(), nullptr), ::EVP_PKEY_CTX_free);
  std::string secret(kScalarBytes, '\0');
  std::size_t size = secret.size();
  if (::EVP_PKEY_derive_init(context.get()) != 1 ||
      ::EVP_PKEY_derive_set_peer(context.get(), peer.key_.get()) != 1 ||
      ::EVP_PKEY_derive(context.get(), bytes_of(secret), &size) != 1 || size != kScalarBytes) {
    return broken("ECDH failed");
  }
  return secret;
}

Result<std::string> EcKey::sign(std::string_view text) const {
  const Owned<EVP_MD_CTX> context(::EVP_MD_CTX_new(), ::EVP_MD_CTX_free);
  std::size_t size = static_cast<std::size_t>(::EVP_PKEY_get_size(key_.get()));
  std::string der(size, '\0');
  if (::EVP_DigestSignInit(context.get(), nullptr, ::EVP_sha256(), nullptr, key_.get()) != 1 ||
      ::EVP_DigestSign(context.get(), bytes_of(der), &size, bytes_of(text), text.size()) != 1) {
    return broken("signing failed");
  }
  const unsigned char* at = bytes_of(der);
  const Owned<ECDSA_SIG> signature(::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)),
                                   ::ECDSA_SIG_free);
  std::string raw(2 * kScalarBytes, '\0');
  if (signature == nullptr ||
      ::BN_bn2binpad(::ECDSA_SIG_get0_r(signature.get()), bytes_of(raw), kScalarBytes) < 0 ||
      ::BN_bn2binpad(::ECDSA_SIG_get0_s(signature.get()), bytes_of(raw) + kScalarBytes,
                     kScalarBytes) < 0) {
    return broken("no signature");
  }
  return raw;
}

}  // namespace vibes::consumers
