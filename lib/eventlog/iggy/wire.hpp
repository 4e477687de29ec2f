// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// The bodies of Iggy's HTTP interface, servers 0.8 to 0.10. Errors of the functions here:
/// Errc::other_settings, for it is no Iggy server that says such things.
namespace vibes::eventlog::iggy {

// Numbers of errors, the same in all versions where they exist.
inline constexpr std::uint64_t kInvalidCredentials = 42;
inline constexpr std::uint64_t kTransientNotCommitted = 57;  // the outcome is unknown
inline constexpr std::uint64_t kStreamExists = 1'012;
inline constexpr std::uint64_t kTopicExists = 2'013;

struct ServerError {
  std::uint64_t id = 0;  // 0: it says none
  std::string reason;
};
/// Bodies of errors may be empty, or plain text.
ServerError parse_error(std::string_view body);
/// Whether a poll failed for a message in its range that the server cannot read any more. Server
/// 0.8.0 has such a one for ever when it was killed while it saved another: the next one is written
/// behind what it had not finished.
bool is_damage(const ServerError& error);

struct Login {
  std::string token;
  std::int64_t expires_unix_s = 0;
};
Result<Login> parse_login(std::string_view body);
std::string login_body(std::string_view user, std::string_view password);

/// A topic as far as it concerns us. Numbers that a version does not tell are nothing.
struct Topic {
  std::uint64_t created_at = 0;
  std::uint64_t partitions = 0;
  std::optional<std::uint64_t> message_expiry;
  std::optional<std::uint64_t> max_topic_size;
  std::uint64_t messages = 0;
  std::uint64_t current_offset = 0;  // 0 also where there is no message
  bool has_options = false;          // server 0.9 and later
  std::string enforce_fsync;         // options, empty where there are none
  std::string messages_required_to_save;
  std::uint64_t bytes = 0;  // about

  /// How many messages it has ever had, gone ones among them.
  [[nodiscard]] std::uint64_t end() const {
    return messages == 0 && current_offset == 0 ? 0 : current_offset + 1;
  }
  /// Each message is synced before its send is answered.
  [[nodiscard]] bool syncs_each() const {
    return enforce_fsync == "true" && messages_required_to_save == "1";
  }
};
Result<Topic> parse_topic(std::string_view body);

std::string stream_body(std::string_view name);
/// One partition, nothing expires. `options` are those of server 0.9 and later, as JSON.
std::string topic_body(std::string_view name, std::string_view options);

/// Payloads as they go into one request, in order.
std::string send_body(std::span<const std::string> encoded_payloads);
/// Around the payloads of a request, and around each of them, at most.
inline constexpr std::size_t kSendBytes = 128;
inline constexpr std::size_t kSendMessageBytes = 32;
/// Where the first message of a send is, if the server says so (0.9 and later).
std::optional<std::uint64_t> parse_sent(std::string_view body);

struct PolledMessage {
  std::uint64_t offset = 0;
  std::uint64_t origin_timestamp = 0;
  std::string id;  // decimal, up to 2^128 - 1, more than readers of JSON take for a number
  std::string payload;
};
struct Polled {
  std::uint64_t current_offset = 0;  // 0.8: also 0 where nothing was found
  std::vector<PolledMessage> messages;
};
Result<Polled> parse_polled(std::string_view body);

}  // namespace vibes::eventlog::iggy
