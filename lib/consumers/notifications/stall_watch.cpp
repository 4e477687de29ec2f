// SPDX-License-Identifier: MIT
#include "consumers/notifications/stall_watch.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {
namespace {

using event::PayloadValue;
using nlohmann::json;

/// What an event says about whether its session is at work.
enum class Change : std::uint8_t { none, prompt, tool_begins, tool_ends, rests };

Change change_by_claude(std::string_view type) {
  if (type == "tool_use_start") {
    return Change::tool_begins;
  }
  if (type == "tool_result") {
    return Change::tool_ends;
  }
  return type == "turn_complete" || type == "error" ? Change::rests : Change::none;
}

Change change_by_hook(std::string_view type) {
  if (type == "user_prompt_submit") {
    return Change::prompt;
  }
  if (type == "pre_tool_use") {
    return Change::tool_begins;
  }
  if (type == "post_tool_use") {
    return Change::tool_ends;
  }
  return type == "stop" || type == "session_end" ? Change::rests : Change::none;
}

Change change_by(const event::EventView& event, PayloadValue payload) {
  if (event.type == "user_input") {
    return Change::prompt;
  }
  if (event.type == "claude") {
    return change_by_claude(payload.member("event").text("type"));
  }
  if (event.type == "hook") {
    return change_by_hook(payload.member("event").text("type"));
  }
  const bool ends = event.type == "session_state_changed" || event.type == "session_removed";
  return ends ? Change::rests : Change::none;
}

std::string tool_of(PayloadValue inner) {
  for (const std::string_view key : {"tool_use_id", "id", "tool_name"}) {
    if (const std::string_view name = inner.text(key); !name.empty()) {
      return std::string(name);
    }
  }
  return {};
}

}  // namespace

void StallWatch::observe(const event::EventView& event, PayloadValue payload) {
  if (event.session.empty() || event.type == "session.stalled") {
    return;
  }
  const Change change = change_by(event, payload);
  if (change == Change::rests) {
    forget(event.session);
    return;
  }
  const bool begins = change == Change::prompt || change == Change::tool_begins;
  if (!begins && !by_name_.contains(event.session)) {
    return;
  }
  Watched* watched = touch(event, event.session);
  if (change == Change::prompt) {
    watched->unanswered = true;
  } else if (change == Change::tool_begins) {
    watched->tools.insert(tool_of(payload.member("event")));
  } else if (change == Change::tool_ends) {
    watched->tools.erase(tool_of(payload.member("event")));
    if (watched->tools.empty() && !watched->unanswered) {
      forget(event.session);
    }
  }
}

StallWatch::Watched* StallWatch::touch(const event::EventView& event, std::string_view session) {
  const auto found = by_name_.find(session);
  if (found != by_name_.end()) {
    sessions_.splice(sessions_.end(), sessions_, found->second);
  } else {
    if (sessions_.size() >= limits::kStallSessionsMax) {
      forget(std::string(sessions_.front().session));
    }
    sessions_.emplace_back().session = session;
    by_name_.emplace(session, std::prev(sessions_.end()));
  }
  Watched& watched = sessions_.back();
  watched.last = event.time;
  watched.last_id = event.event_id;
  watched.reported = false;
  return &watched;
}

void StallWatch::forget(std::string_view session) {
  const auto found = by_name_.find(session);
  if (found != by_name_.end()) {
    sessions_.erase(found->second);
    by_name_.erase(found);
  }
}

std::vector<event::NewEvent> StallWatch::due(Timestamp now) {
  const std::int64_t before_us = now.unix_us - std::chrono::microseconds(after_).count();
  std::vector<event::NewEvent> events;
  for (Watched& watched : sessions_) {
    if (watched.last.unix_us > before_us) {
      break;
    }
    if (std::exchange(watched.reported, true)) {
      continue;
    }
    const Uuid id = name_uuid(kUrlNamespace, "vibes:session.stalled/" + to_string(watched.last_id));
    json stalled = {{"type", "session.stalled"},
                    {"event_id", to_string(id)},
                    {"session_id", watched.session},
                    {"since", format_rfc3339(watched.last)},
                    {"waiting_for", watched.tools.empty() ? "answer" : "tool"}};
    events.push_back({stalled.dump(-1, ' ', false, json::error_handler_t::replace),
                      "session.stalled", watched.session, id});
  }
  return events;
}

}  // namespace vibes::consumers
