// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "consumers/notifications/notification.hpp"
#include "event/event.hpp"

namespace vibes::consumers {

/// What makes a notification of an event. The order is that of kTriggerNames.
enum class Trigger : std::uint8_t {
  permission_request,
  hook_permission_request,
  hook_permission_prompt,
  hook_idle_prompt,
  error,
  completed,
  failed,
  hook_stop,  // fires each turn, hence off unless asked for
  intervention,
  stalled,
};
inline constexpr std::array<std::string_view, 10> kTriggerNames = {"permission_request",
                                                                   "hook_permission_request",
                                                                   "hook_permission_prompt",
                                                                   "hook_idle_prompt",
                                                                   "error",
                                                                   "completed",
                                                                   "failed",
                                                                   "hook_stop",
                                                                   "intervention",
                                                                   "stalled"};

std::string_view to_string(Trigger trigger);
std::optional<Trigger> parse_trigger(std::string_view name);

/// The triggers that are switched off.
using TriggersOff = std::bitset<kTriggerNames.size()>;
inline TriggersOff triggers_off_by_default() {
  return TriggersOff().set(static_cast<std::size_t>(Trigger::hook_stop));
}

/// Whether events of this type can fire a trigger or tell a session's state: others need not be
/// parsed.
bool concerns_notifications(std::string_view type);

/// The notification that `event`, parsed, calls for; nothing if no trigger fires or it is off.
std::optional<Notification> notification_for(const event::EventView& event,
                                             const nlohmann::json& parsed, const TriggersOff& off);

}  // namespace vibes::consumers
