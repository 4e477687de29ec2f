// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "consumers/assessment/assessor.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"

namespace vibes::consumers::assessment {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kBaseUs = 1'767'225'600 * kSecondUs;  // 2026-01-01

/// A log of one's own: every event has a place, a time and an id that depend on nothing else.
class Story {
 public:
  explicit Story(Patterns patterns = Patterns(),
                 std::size_t sessions_max = limits::kAssessedSessionsMax)
      : assessor(std::move(patterns), sessions_max) {}

  /// Appends an event so many seconds after the one before, and returns what came of it.
  std::vector<nlohmann::json> tell(const nlohmann::json& event, std::int64_t seconds = 1) {
    return tell_text(event.dump(), seconds);
  }
  std::vector<nlohmann::json> tell_text(const std::string& payload, std::int64_t seconds = 1) {
    const auto checked = event::check(payload);
    VIBES_ASSERT(checked.has_value());
    now_us += seconds * kSecondUs;
    const event::EventView view{
        Offset(offset++),  name_uuid(kUrlNamespace, fmt::format("{}", offset)),
        Timestamp{now_us}, checked->type,
        checked->session,  checked->payload};
    auto made = assessor.fold(view);
    VIBES_ASSERT(made.has_value());
    std::vector<nlohmann::json> results;
    for (const auto& event : *made) {
      VIBES_ASSERT(event::check(event.payload).has_value() && event.event_id.has_value());
      lines.push_back(to_string(*event.event_id) + " " + event.payload);
      results.push_back(nlohmann::json::parse(event.payload));
    }
    return results;
  }

  std::vector<nlohmann::json> ask(const std::string& text, std::int64_t seconds = 1) {
    return tell({{"type", "user_input"}, {"session_id", session}, {"content", text}}, seconds);
  }
  std::vector<nlohmann::json> claude(nlohmann::json event, std::int64_t seconds = 1) {
    return tell({{"type", "claude"}, {"session_id", session}, {"event", std::move(event)}},
                seconds);
  }
  std::vector<nlohmann::json> hook(nlohmann::json event, std::int64_t seconds = 1) {
    return tell({{"type", "hook"}, {"session_id", session}, {"event", std::move(event)}}, seconds);
  }
  std::vector<nlohmann::json> tool(bool is_error, const std::string& output = "out",
                                   std::int64_t seconds = 1) {
    return claude({{"type", "tool_result"},
                   {"id", fmt::format("toolu_{}", offset)},
                   {"output", output},
                   {"is_error", is_error}},
                  seconds);
  }

  Assessor assessor;
  std::string session = "s1";
  std::uint64_t offset = 0;
  std::int64_t now_us = kBaseUs;
  std::vector<std::string> lines;  // all results, with their ids
};

/// The results of one tier, or of type intervention.
inline std::vector<nlohmann::json> only(const std::vector<nlohmann::json>& results,
                                        std::string_view tier) {
  std::vector<nlohmann::json> found;
  for (const auto& result : results) {
    if (result.value("tier", result.at("type").get<std::string>()) == tier) {
      found.push_back(result);
    }
  }
  return found;
}

}  // namespace vibes::consumers::assessment
