// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::consumers::assessment {

/// What an event says to assessment. Owns its text.
struct Message {
  enum class Kind : std::uint8_t {
    none,         // nothing that is assessed
    prompt,       // what a person said
    text_part,    // a fragment of what the agent says; fragments are joined per turn
    agent_text,   // a whole turn of it, made by whoever joins
    turn_start,   //
    turn_end,     // with the tokens of the turn
    tool_start,   // names the tool of a later result
    tool_result,  //
    error,        // of the agent
    session_end,
  };
  /// Where a terminal and the hooks of the agent in it both speak, one thing is told twice.
  enum class Source : std::uint8_t { stream, hook };
  enum class Success : std::uint8_t { ok, failed };

  Kind kind = Kind::none;
  Source source = Source::stream;
  Success success = Success::ok;  // of a tool_result
  /// At most limits::kAssessedTextBytesMax. Of a tool_result the end, where programs sum up, of
  /// the others the beginning.
  std::string text;
  std::string tool_name;    // tool_start and tool_result of a hook
  std::string tool_use_id;  // empty: unknown
  std::string reason;       // of a session_end
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
};

/// Reads a stored event. Types and hooks that are not assessed are Kind::none. Thread-safe.
///
/// Errors: Errc::bad_payload for what is no JSON, or where a field that is read is of another kind
/// than docs/protocol.md says. What a tool answered is the tool's own and read leniently.
Result<Message> read_message(std::string_view type, std::string_view payload);

}  // namespace vibes::consumers::assessment
