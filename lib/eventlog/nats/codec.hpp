// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::nats {

// Headers of a message (docs/design/0007-engines.md).
inline constexpr const char* kIdHeader = "Nats-Msg-Id";
inline constexpr const char* kOffsetHeader = "Vibes-Offset";
inline constexpr const char* kTimeHeader = "Vibes-Time";
inline constexpr const char* kCountHeader = "Vibes-Count";
inline constexpr const char* kTurnHeader = "Vibes-Turn";  // and who asks for it

/// What all headers of a message take at most, also those that tell the server what to expect.
inline constexpr std::size_t kHeaderBytesMax = 512;
/// What an event takes in the body of a message of several, beside its payload: id, space, seven
/// digits, two line ends.
inline constexpr std::size_t kEventFrameBytesMax = 46;

struct EncodedMessage {
  std::string subject;
  std::vector<std::pair<const char*, std::string>> headers;
  std::string body;
};

/// The message for a batch of events that all have their event_id. Payloads are kept byte for
/// byte.
EncodedMessage encode(const remote::RemoteBatch& batch, std::string_view subject_prefix);

/// The id of its message: that of its first event, with how many there are.
std::string id_of(const remote::RemoteBatch& batch);

/// The last token of the subject: of the session, "_" for none. At most 140 bytes.
std::string session_token(std::string_view session);

/// A message as it came; it only borrows.
struct RawMessage {
  std::string_view body;
  std::optional<std::string_view> id;
  std::optional<std::string_view> offset;
  std::optional<std::string_view> time;
  std::optional<std::string_view> count;
};

/// The batch that was encoded. Errors: Errc::foreign, saying what is wrong.
Result<remote::RemoteBatch> decode(const RawMessage& message);

}  // namespace vibes::eventlog::nats
