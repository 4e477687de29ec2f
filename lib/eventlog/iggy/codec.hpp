// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// The payload of the message for a batch, whose events all have their event_id: a line that says
/// what follows,
///
///   {"vibes":1,"offset":N,"count":n,"time":"…","bytes":[…]}
///
/// and a line for each event, its envelope. `bytes` is the length of each event's payload, which is
/// there byte for byte, also where it has line ends of its own; then its line is several.
std::string encode(const remote::RemoteBatch& batch);

/// What a message takes at most beside its payloads, and for each of them.
inline constexpr std::size_t kMessageBytesAround = 112;
inline constexpr std::size_t kEventBytesAround = 136;

/// The payload of a message by which the writer `who` asks for its turn.
std::string encode_turn(std::string_view who);
/// Who asks, if it is such a message.
std::optional<std::string_view> decode_turn(std::string_view payload);

/// The batch that was encoded; there is no other way to encode it. Errors: Errc::foreign, saying
/// what is wrong.
Result<remote::RemoteBatch> decode(std::string_view payload);

}  // namespace vibes::eventlog::iggy
