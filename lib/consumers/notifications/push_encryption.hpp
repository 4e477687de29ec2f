// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "consumers/notifications/ec_key.hpp"

namespace vibes::consumers {

/// What a browser gives whoever may send to it, as bytes.
struct PushKeys {
  std::string p256dh;  // its public key, 65 bytes
  std::string auth;    // 16 bytes
};

/// The body of a push message for a browser: RFC 8291, one record of aes128gcm (RFC 8188). Errors:
/// std::errc::invalid_argument for keys that are none, std::errc::message_size for a text beyond
/// limits::kPushPayloadBytesMax.
Result<std::string> encrypt_push(const PushKeys& keys, std::string_view text);
/// The same with a sender's key and a salt (16 bytes) that are given, for tests.
Result<std::string> encrypt_push(const PushKeys& keys, std::string_view text, const EcKey& sender,
                                 std::string_view salt);

}  // namespace vibes::consumers
