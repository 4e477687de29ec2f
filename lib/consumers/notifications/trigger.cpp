// SPDX-License-Identifier: MIT
#include "consumers/notifications/trigger.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {
namespace {

using event::PayloadValue;

struct Text {
  Trigger trigger;
  std::string title;
  std::string body;
  std::string tag;  // before "-<session>"
  std::string event_type;
};

std::string or_else(std::string_view text, std::string_view otherwise) {
  return std::string(text.empty() ? otherwise : text);
}

/// At most limits::kNotificationTextBytesMax bytes, whole characters.
std::string cut(std::string text) {
  if (text.size() > limits::kNotificationTextBytesMax) {
    std::size_t end = limits::kNotificationTextBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
      --end;
    }
    text.resize(end);
  }
  return text;
}

Text permission(Trigger trigger, std::string body) {
  return {trigger, "Claude needs approval", std::move(body), "permission", "permission_needed"};
}

std::string requested_for(std::string_view tool) {
  return "Permission requested for " + or_else(tool, "a tool");
}

std::optional<Text> of_claude(PayloadValue inner) {
  const std::string_view type = inner.text("type");
  if (type == "permission_request") {
    return permission(Trigger::permission_request, requested_for(inner.text("tool")));
  }
  if (type == "error") {
    return Text{Trigger::error, "Session failed",
                or_else(inner.text("message"), "Claude reported an error"), "error",
                "session_error"};
  }
  return std::nullopt;
}

std::optional<Text> of_hook(PayloadValue inner) {
  const std::string_view type = inner.text("type");
  if (type == "permission_request") {
    return permission(Trigger::hook_permission_request, requested_for(inner.text("tool_name")));
  }
  if (type == "stop") {
    return Text{Trigger::hook_stop, "Turn finished", "Claude has answered", "stop",
                "turn_finished"};
  }
  if (type != "notification") {
    return std::nullopt;
  }
  const std::string_view kind = inner.text("notification_type");
  const std::string_view message = inner.text("message");
  if (kind == "permission_prompt") {
    return permission(Trigger::hook_permission_prompt, or_else(message, requested_for("")));
  }
  if (kind == "idle_prompt") {
    return Text{Trigger::hook_idle_prompt, "Claude waits for you",
                or_else(message, "Claude is waiting for your input"), "idle", "session_idle"};
  }
  return std::nullopt;
}

std::optional<Text> of_state(std::string_view state) {
  if (state == "Completed" || state == "Finished") {
    return Text{Trigger::completed, "Session completed", "Claude finished the task", "completed",
                "session_completed"};
  }
  if (state.starts_with("Failed")) {
    return Text{Trigger::failed, "Session failed", std::string(state), "error", "session_error"};
  }
  return std::nullopt;
}

std::optional<Text> text_for(const event::EventView& event, PayloadValue payload) {
  if (event.type == "claude") {
    return of_claude(payload.member("event"));
  }
  if (event.type == "hook") {
    return of_hook(payload.member("event"));
  }
  if (event.type == "session_state_changed") {
    return of_state(payload.text("state"));
  }
  if (event.type == "intervention") {
    return Text{Trigger::intervention, "Claude may need help",
                or_else(payload.text("message"), payload.text("reason")), "intervention",
                "intervention"};
  }
  if (event.type == "session.stalled") {
    return Text{Trigger::stalled, "Session stalled",
                "Nothing has happened since " + or_else(payload.text("since"), "long"), "stalled",
                "session_stalled"};
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Trigger trigger) {
  return kTriggerNames[static_cast<std::size_t>(trigger)];
}

std::optional<Trigger> parse_trigger(std::string_view name) {
  const auto* const found = std::ranges::find(kTriggerNames, name);
  if (found == kTriggerNames.end()) {
    return std::nullopt;
  }
  return static_cast<Trigger>(found - kTriggerNames.begin());
}

bool concerns_notifications(const event::EventView& event) {
  constexpr std::string_view kTypes[] = {"session_state_changed", "intervention", "session.stalled",
                                         "user_input", "session_removed"};
  constexpr std::string_view kSaid[] = {"permission_request", "error", "tool_use_start",
                                        "tool_result", "turn_complete"};
  constexpr std::string_view kHooks[] = {"permission_request", "stop",         "notification",
                                         "user_prompt_submit", "pre_tool_use", "post_tool_use",
                                         "session_end"};
  const bool said = event.type == "claude";
  if (!said && event.type != "hook") {
    return std::ranges::find(kTypes, event.type) != std::end(kTypes);
  }
  const auto inner = event::peek_inner_type(event.payload);
  const std::span<const std::string_view> wanted =
      said ? std::span<const std::string_view>(kSaid) : std::span<const std::string_view>(kHooks);
  return !inner || std::ranges::find(wanted, *inner) != wanted.end();
}

std::optional<Notification> notification_for(const event::EventView& event, PayloadValue payload,
                                             const TriggersOff& off) {
  auto text = text_for(event, payload);
  if (!text || off.test(static_cast<std::size_t>(text->trigger))) {
    return std::nullopt;
  }
  const std::string session(event.session);
  return Notification{.title = cut(std::move(text->title)),
                      .body = cut(std::move(text->body)),
                      .tag = text->tag + "-" + session,
                      .url = session.empty() ? "" : "/session/" + session,
                      .session_id = session,
                      .event_type = std::move(text->event_type),
                      .trigger = std::string(to_string(text->trigger)),
                      .offset = event.offset,
                      .event_id = event.event_id,
                      .time = event.time,
                      .type = std::string(event.type),
                      .payload = std::string(event.payload)};
}

}  // namespace vibes::consumers
