// SPDX-License-Identifier: MIT
#include "consumers/assessment/session_input.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "consumers/assessment/text_hash.hpp"
#include "event/ascii.hpp"

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;

constexpr std::int64_t kTwinWithinUs = 60'000'000;  // between the hook's word and the stream's
constexpr std::size_t kToolsMax = 32;
constexpr std::size_t kTurnTextBytesKept = 4 * limits::kKiB;  // of memory, between turns

}  // namespace

std::vector<Heard> SessionInput::take(Message message, const Uuid& event_id, Timestamp time) {
  std::vector<Heard> heard;
  switch (message.kind) {
    case Kind::text_part:
      add_part(message, event_id);
      break;
    case Kind::turn_start:
    case Kind::turn_end:
      if (auto turn = finish()) {
        heard.push_back(*std::move(turn));
      }
      break;
    case Kind::tool_start:
      tool(message.tool_use_id).name = message.tool_name;
      break;
    case Kind::prompt:
      add_prompt(std::move(message), event_id, time, heard);
      break;
    case Kind::tool_result:
      add_result(std::move(message), event_id, heard);
      break;
    case Kind::error:
      heard.push_back({.message = std::move(message), .event_id = event_id});
      break;
    case Kind::none:
    case Kind::agent_text:
    case Kind::session_end:
      break;
  }
  return heard;
}

std::optional<Heard> SessionInput::finish() {
  if (turn_text.empty()) {
    return std::nullopt;
  }
  Heard turn;
  turn.message.kind = Kind::agent_text;
  turn.message.text = turn_text;
  // Not the event that ends the turn: that one may say something of its own.
  turn.event_id = parse_uuid(last_part).value_or(Uuid{});
  turn_text.clear();
  if (turn_text.capacity() > kTurnTextBytesKept) {
    turn_text.shrink_to_fit();
  }
  return turn;
}

void SessionInput::add_part(const Message& part, const Uuid& event_id) {
  if (part.text.empty()) {
    return;
  }
  if (turn_text.size() + part.text.size() <= limits::kAssessedTextBytesMax) {
    turn_text += part.text;
  }
  last_part = to_string(event_id);
}

void SessionInput::add_prompt(Message message, const Uuid& event_id, Timestamp time,
                              std::vector<Heard>& heard) {
  const std::uint64_t hash = text_hash(event::trim(message.text));
  const bool same = hash == prompt;
  const int source = static_cast<int>(message.source);
  if (same && prompt_twice == 0 && source != prompt_source &&
      time.unix_us - prompt_us <= kTwinWithinUs) {
    prompt_twice = 1;
    return;
  }
  prompt = hash;
  prompt_us = time.unix_us;
  prompt_source = source;
  prompt_twice = 0;
  if (auto turn = finish()) {
    heard.push_back(*std::move(turn));
  }
  heard.push_back({.message = std::move(message),
                   .repetition = same ? Repetition::verbatim : Repetition::none,
                   .event_id = event_id});
}

void SessionInput::add_result(Message message, const Uuid& event_id, std::vector<Heard>& heard) {
  if (!message.tool_use_id.empty()) {
    ToolUse& use = tool(message.tool_use_id);
    if (use.heard != 0) {
      return;
    }
    use.heard = 1;
    if (message.tool_name.empty()) {
      message.tool_name = use.name;
    }
  }
  heard.push_back({.message = std::move(message), .event_id = event_id});
}

SessionInput::ToolUse& SessionInput::tool(const std::string& id) {
  const std::uint64_t hash = text_hash(id);
  const auto found = std::ranges::find(tools, hash, &ToolUse::id);
  if (found != tools.end()) {
    return *found;
  }
  if (tools.size() >= kToolsMax) {
    tools.pop_front();
  }
  return tools.emplace_back(ToolUse{.id = hash, .name = {}});
}

}  // namespace vibes::consumers::assessment
