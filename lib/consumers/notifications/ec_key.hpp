// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "base/result.hpp"

namespace vibes::consumers {

/// A key on P-256, with or without its private half. Errors of all: std::errc::invalid_argument for
/// what is no such key, std::errc::io_error where OpenSSL fails.
class EcKey {
 public:
  static Result<EcKey> generate();
  /// `point`: uncompressed, 65 bytes.
  static Result<EcKey> from_point(std::string_view point);
  /// `scalar`: 32 bytes.
  static Result<EcKey> from_private(std::string_view scalar, std::string_view point);
  /// PKCS#8.
  static Result<EcKey> from_pem(std::string_view pem);

  [[nodiscard]] Result<std::string> to_pem() const;
  /// The public half, uncompressed.
  [[nodiscard]] Result<std::string> point() const;
  /// ECDH: the 32 bytes both sides share.
  [[nodiscard]] Result<std::string> shared_secret(const EcKey& peer) const;
  /// ECDSA over SHA-256, as r and s, 32 bytes each.
  [[nodiscard]] Result<std::string> sign(std::string_view text) const;

 private:
  explicit EcKey(EVP_PKEY* key) : key_(key, ::EVP_PKEY_free) {}
  static Result<EcKey> from_parts(std::string_view scalar, std::string_view point);

  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
};

}  // namespace vibes::consumers
