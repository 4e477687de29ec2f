// SPDX-License-Identifier: MIT
#include "consumer_table.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_text.hpp"
#include "text_table.hpp"

namespace vibes::ctl {

std::string consumer_table(const nlohmann::json& consumers) {
  TextTable table({"GROUP", "KIND", "STATE", "COMMITTED", "END", "LAG", "BEHIND", "ATTEMPTS",
                   "DEAD", "MEMBERS"});
  for (const auto& consumer : consumers) {
    const std::string behind = shown(consumer, "lag_seconds");
    table.add({shown(consumer, "group"), shown(consumer, "kind"), shown(consumer, "state"),
               shown(consumer, "committed"), shown(consumer, "end"), shown(consumer, "lag"),
               behind == "-" ? behind : behind + " s", shown(consumer, "attempts"),
               shown(consumer, "dead_letters"), shown(consumer, "members")});
  }
  return table.text();
}

}  // namespace vibes::ctl
