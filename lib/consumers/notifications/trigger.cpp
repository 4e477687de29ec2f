// SPDX-License-Identifier: MIT
#include "consumers/notifications/trigger.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "consumers/notifications/member.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

struct Text {
  Trigger trigger;
  std::string title;
  std::string body;
  std::string tag;  // before "-<session>"
  std::string event_type;
};

std::string or_else(std::string text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : std::move(text);
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

std::string requested_for(const std::string& tool) {
  return "Permission requested for " + or_else(tool, "a tool");
}

std::optional<Text> of_claude(const json& inner) {
  const std::string type = text_member(inner, "type");
  if (type == "permission_request") {
    return permission(Trigger::permission_request, requested_for(text_member(inner, "tool")));
  }
  if (type == "error") {
    return Text{Trigger::error, "Session failed",
                or_else(text_member(inner, "message"), "Claude reported an error"), "error",
                "session_error"};
  }
  return std::nullopt;
}

std::optional<Text> of_hook(const json& inner) {
  const std::string type = text_member(inner, "type");
  if (type == "permission_request") {
    return permission(Trigger::hook_permission_request,
                      requested_for(text_member(inner, "tool_name")));
  }
  if (type == "stop") {
    return Text{Trigger::hook_stop, "Turn finished", "Claude has answered", "stop",
                "turn_finished"};
  }
  if (type != "notification") {
    return std::nullopt;
  }
  const std::string kind = text_member(inner, "notification_type");
  const std::string message = text_member(inner, "message");
  if (kind == "permission_prompt") {
    return permission(Trigger::hook_permission_prompt, or_else(message, requested_for("")));
  }
  if (kind == "idle_prompt") {
    return Text{Trigger::hook_idle_prompt, "Claude waits for you",
                or_else(message, "Claude is waiting for your input"), "idle", "session_idle"};
  }
  return std::nullopt;
}

std::optional<Text> of_state(const std::string& state) {
  if (state == "Completed" || state == "Finished") {
    return Text{Trigger::completed, "Session completed", "Claude finished the task", "completed",
                "session_completed"};
  }
  if (state.starts_with("Failed")) {
    return Text{Trigger::failed, "Session failed", state, "error", "session_error"};
  }
  return std::nullopt;
}

std::optional<Text> text_for(const event::EventView& event, const json& parsed) {
  if (event.type == "claude") {
    return of_claude(inner_event(parsed));
  }
  if (event.type == "hook") {
    return of_hook(inner_event(parsed));
  }
  if (event.type == "session_state_changed") {
    return of_state(text_member(parsed, "state"));
  }
  if (event.type == "intervention") {
    return Text{Trigger::intervention, "Claude may need help",
                or_else(text_member(parsed, "message"), text_member(parsed, "reason")),
                "intervention", "intervention"};
  }
  if (event.type == "session.stalled") {
    return Text{Trigger::stalled, "Session stalled",
                "Nothing has happened since " + or_else(text_member(parsed, "since"), "long"),
                "stalled", "session_stalled"};
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

bool concerns_notifications(std::string_view type) {
  constexpr std::string_view kTypes[] = {
      "claude",          "hook",       "session_state_changed", "intervention",
      "session.stalled", "user_input", "session_removed"};
  return std::ranges::find(kTypes, type) != std::end(kTypes);
}

std::optional<Notification> notification_for(const event::EventView& event, const json& parsed,
                                             const TriggersOff& off) {
  auto text = text_for(event, parsed);
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
