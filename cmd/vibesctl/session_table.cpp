// SPDX-License-Identifier: MIT
#include "session_table.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "json_text.hpp"
#include "text_table.hpp"

namespace vibes::ctl {
namespace {

using nlohmann::json;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

/// How long ago that was, in the largest unit that fits.
std::string age(const json& session, const char* key, std::int64_t now) {
  const auto found = session.find(key);
  if (found == session.end() || !found->is_number_integer()) {
    return "-";
  }
  const std::int64_t seconds = std::max<std::int64_t>(now - found->get<std::int64_t>(), 0);
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {
      {86'400, " d"}, {3'600, " h"}, {60, " min"}};
  for (const auto& [size, unit] : kUnits) {
    if (seconds >= size) {
      return std::to_string(seconds / size) + unit;
    }
  }
  return std::to_string(seconds) + " s";
}

}  // namespace

std::string session_table(const json& sessions) {
  const std::int64_t now = system_clock().now().unix_us / kMicrosPerSecond;
  TextTable table({"ID", "NAME", "STATE", "CLIENTS", "SIZE", "AGE", "IDLE", "PID", "CWD"});
  for (const json& session : sessions) {
    table.add({shown(session, "id"), shown(session, "name"), shown(session, "state"),
               shown(session, "subscriber_count"),
               shown(session, "cols") + "x" + shown(session, "rows"),
               age(session, "created_at", now), age(session, "last_activity_at", now),
               shown(session, "pid"), shown(session, "cwd")});
  }
  return table.text();
}

}  // namespace vibes::ctl
