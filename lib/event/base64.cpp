// SPDX-License-Identifier: MIT
#include "event/base64.hpp"

#include <openssl/evp.h>

namespace vibes::event {

namespace {

const unsigned char* as_input(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* as_output(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL adds a terminator
  EVP_EncodeBlock(as_output(text), as_input(bytes), static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty()) {
    return std::string();
  }
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(as_output(bytes), as_input(text), static_cast<int>(text.size())) < 0) {
    return std::nullopt;
  }
  // OpenSSL counts the padding as zero bytes, skips white space, and takes '=' for a digit in
  // places.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(bytes.size() - padding);
  if (encode_base64(bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace vibes::event
