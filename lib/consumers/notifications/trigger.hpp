// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "consumers/notifications/notification.hpp"
#include "event/event.hpp"
#include "event/payload_fwd.hpp"

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

/// Whether the event can fire a trigger or change what its session is at: others need no look
/// inside. Of hooks and of what agents say, which are most of a log, a glance at the inner type
/// tells it nearly always.
bool concerns_notifications(const event::EventView& event);

/// The notification that `event` with its `payload` calls for; nothing if no trigger fires or it is
/// off. The payload of an event that concerns_notifications() denies may be none.
std::optional<Notification> notification_for(const event::EventView& event,
                                             event::PayloadValue payload, const TriggersOff& off);

}  // namespace vibes::consumers
