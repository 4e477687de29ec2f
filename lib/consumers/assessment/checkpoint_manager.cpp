// SPDX-License-Identifier: MIT
#include "consumers/assessment/checkpoint_manager.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "event/ascii.hpp"

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;

constexpr std::uint64_t kEventsMin = 5;
constexpr std::uint64_t kWorkedMessages = 10;
constexpr std::int64_t kIntervalUs = 300'000'000;
constexpr double kFrustrated = 0.7;
constexpr int kRecentFailures = 2;
constexpr unsigned kRecentMask = 0b11111;
constexpr std::size_t kEventIdsMax = 64;  // named in one checkpoint
constexpr std::size_t kToolsMax = 16;
constexpr std::size_t kQuoteBytes = 120;

}  // namespace

std::string first_line(std::string_view text, std::size_t bytes) {
  text = event::trim_front(text);
  text = text.substr(0, text.find_first_of("\r\n"));
  if (text.size() <= bytes) {
    return std::string(text);
  }
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80U) {
    --bytes;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::optional<Checkpoint> CheckpointManager::take(const Message& message, const Reading& reading,
                                                  const Uuid& event_id, Timestamp time) {
  add(message, reading, event_id, time);
  const auto trigger = due(reading, time);
  return trigger ? std::optional(finish(*trigger, time)) : std::nullopt;
}

void CheckpointManager::add_tokens(const Message& turn_end) {
  segment.input_tokens += turn_end.input_tokens;
  segment.output_tokens += turn_end.output_tokens;
}

std::optional<Checkpoint> CheckpointManager::pause() {
  if (segment.count < kEventsMin) {
    return std::nullopt;
  }
  return finish("pause", Timestamp{segment.last_us});
}

void CheckpointManager::add(const Message& message, const Reading& reading, const Uuid& event_id,
                            Timestamp time) {
  if (segment.since_us == 0) {
    segment.since_us = time.unix_us;
  }
  segment.last_us = time.unix_us;
  ++segment.count;
  if (segment.event_ids.size() < kEventIdsMax) {
    segment.event_ids.push_back(to_string(event_id));
  }
  const bool failed = reading.tool_failures > 0;
  segment.recent = ((segment.recent << 1U) | (failed ? 1U : 0U)) & kRecentMask;
  segment.failures += reading.tool_failures;
  segment.balance += static_cast<std::int64_t>(reading.positives) +
                     (reading.milestone == Milestone::passed ? 1 : 0) -
                     static_cast<std::int64_t>(reading.negatives) - reading.tool_failures;
  if (message.kind == Kind::prompt) {
    ++segment.worked;
    if (segment.asked.empty()) {
      segment.asked = first_line(message.text, kQuoteBytes);
    }
  } else if (message.kind == Kind::tool_result) {
    ++segment.worked;
    const std::string name = message.tool_name.empty() ? "a tool" : message.tool_name;
    if (segment.tools.size() < kToolsMax || segment.tools.contains(name)) {
      ++segment.tools[name];
    }
  } else if (message.kind == Kind::agent_text) {
    segment.said = first_line(message.text, kQuoteBytes);
  }
}

std::optional<std::string_view> CheckpointManager::due(const Reading& reading,
                                                       Timestamp time) const {
  if (segment.count < kEventsMin) {
    return std::nullopt;
  }
  if (segment.worked >= kWorkedMessages) {
    return "message_count";
  }
  if (time.unix_us - segment.since_us >= kIntervalUs) {
    return "interval";
  }
  if (reading.after.frustration >= kFrustrated) {
    return "frustration";
  }
  if (std::popcount(segment.recent) >= kRecentFailures) {
    return "tool_failures";
  }
  if (reading.milestone == Milestone::commit) {
    return "commit";
  }
  if (reading.milestone == Milestone::passed) {
    return "build_passed";
  }
  return std::nullopt;
}

Checkpoint CheckpointManager::finish(std::string_view trigger, Timestamp time) {
  Checkpoint checkpoint{.trigger = trigger,
                        .first = segment.first,
                        .last = segment.first + segment.count - 1,
                        .input_tokens = segment.input_tokens,
                        .output_tokens = segment.output_tokens,
                        .summary = summary(),
                        .event_ids = {}};
  const double share = static_cast<double>(segment.balance) / static_cast<double>(segment.count);
  checkpoint.segment_score = std::clamp(0.5 + share / 2, 0.0, 1.0);
  for (const std::string& id : segment.event_ids) {
    checkpoint.event_ids.push_back(parse_uuid(id).value_or(Uuid{}));
  }
  Segment next;
  next.first = checkpoint.last + 1;
  next.since_us = time.unix_us;
  next.last_us = segment.last_us;
  segment = std::move(next);
  return checkpoint;
}

std::string CheckpointManager::summary() const {
  std::string text = fmt::format("{} messages.", segment.count);
  const auto out = std::back_inserter(text);
  if (!segment.asked.empty()) {
    fmt::format_to(out, " Asked: \"{}\".", segment.asked);
  }
  std::string_view between = " Tools: ";
  for (const auto& [name, count] : segment.tools) {
    fmt::format_to(out, "{}{} {}", std::exchange(between, ", "), name, count);
  }
  if (!segment.tools.empty()) {
    text += segment.failures > 0 ? fmt::format("; {} failed.", segment.failures) : ".";
  }
  if (!segment.said.empty()) {
    fmt::format_to(out, " Last said: \"{}\".", segment.said);
  }
  return text;
}

}  // namespace vibes::consumers::assessment
