// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/offset.hpp"
#include "consumers/sessions/session_record.hpp"

namespace vibes::consumers {

/// The numbers of an assessed session that a list shows. Plain data.
struct AssessedSession {
  std::string id;
  std::optional<std::string> name;
  double frustration = 0;  // after the last reading
  double frustration_peak = 0;
  double success = 0;
  std::string breaker;
  std::uint64_t openings = 0;
  std::uint64_t messages = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t interventions = 0;
  std::optional<std::string> outcome;
  Timestamp last_time;  // of the last result
  Offset last;          // of the last result; no other session has it
};

/// `record` has an assessment.
AssessedSession headline_of(const SessionRecord& record);
nlohmann::json headline_json(const AssessedSession& session);
/// Nothing for what headline_json() did not make.
std::optional<AssessedSession> take_headline(const nlohmann::json& told);

/// The assessed sessions with the newest results, at most `sessions_max` of them, about 500 bytes
/// each. Not thread-safe.
class AssessedIndex {
 public:
  explicit AssessedIndex(std::size_t sessions_max = limits::kAssessedSessionsListed)
      : sessions_max_(sessions_max) {}

  /// In the place of what was known of the session.
  void put(AssessedSession session);
  [[nodiscard]] bool contains(const std::string& id) const { return by_id_.contains(id); }
  void clear();
  /// At most `limit` sessions, newest first, those whose last result is before `before`.
  [[nodiscard]] std::vector<AssessedSession> page(std::optional<Offset> before,
                                                  std::size_t limit) const;

 private:
  std::size_t sessions_max_;
  std::map<Offset, AssessedSession, std::greater<>> newest_first_;
  std::unordered_map<std::string, Offset> by_id_;
};

}  // namespace vibes::consumers
