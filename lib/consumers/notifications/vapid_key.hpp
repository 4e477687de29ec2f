// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "consumers/notifications/ec_key.hpp"

namespace vibes::consumers {

/// Who we are to push services (RFC 8292). Thread-safe once made.
class VapidKey {
 public:
  /// Reads `file`, or makes a key and writes it there with mode 0600:
  /// {"private_key": PKCS#8 in PEM, "public_key": the point in base64url}.
  static Result<VapidKey> load_or_create(const std::filesystem::path& file);
  /// A key that nobody keeps.
  static Result<VapidKey> generate();

  /// What a browser subscribes with: the uncompressed point in base64url.
  [[nodiscard]] const std::string& public_key() const { return public_key_; }
  /// The value of the header Authorization for a push service at `origin`, good for 12 hours.
  [[nodiscard]] Result<std::string> authorization(std::string_view origin, std::string_view subject,
                                                  Timestamp now) const;

 private:
  VapidKey(EcKey key, std::string public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}
  static Result<VapidKey> of(EcKey key);

  EcKey key_;
  std::string public_key_;
};

}  // namespace vibes::consumers
