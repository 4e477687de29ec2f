// SPDX-License-Identifier: MIT
#include "session/session_events.hpp"

#include <fmt/format.h>

#include "event/codec.hpp"

namespace vibes::session {

namespace {

/// Builds {"type":…,…} member by member, and fills what the log keeps beside it.
class Draft {
 public:
  explicit Draft(std::string_view type) {
    event_.type = type;
    event_.payload = "{\"type\":";
    event::append_json_string(event_.payload, type);
  }
  Draft& session(std::string_view id) {
    event_.session = id;
    return text("session_id", id);
  }
  Draft& text(std::string_view key, std::string_view value) {
    name(key);
    event::append_json_string(event_.payload, value);
    return *this;
  }
  Draft& null(std::string_view key) {
    name(key);
    event_.payload += "null";
    return *this;
  }
  event::NewEvent finish() {
    event_.payload += '}';
    return std::move(event_);
  }

 private:
  void name(std::string_view key) {
    event_.payload += ',';
    event::append_json_string(event_.payload, key);
    event_.payload += ':';
  }
  event::NewEvent event_;
};

}  // namespace

std::string_view to_string(RemovalReason reason) {
  return reason == RemovalReason::killed ? "killed" : "session_finished";
}

std::string state_name(const std::optional<SessionEnd>& end) {
  return end ? fmt::format("Exited({})", end->status()) : "Running";
}

event::NewEvent session_created(std::string_view session_id,
                                const std::optional<std::string>& name) {
  Draft draft("session_created");
  draft.session(session_id);
  name ? draft.text("name", *name) : draft.null("name");
  return draft.finish();
}

event::NewEvent session_state_changed(std::string_view session_id, const SessionEnd& end) {
  return Draft("session_state_changed").session(session_id).text("state", state_name(end)).finish();
}

event::NewEvent session_removed(std::string_view session_id, RemovalReason reason) {
  return Draft("session_removed").session(session_id).text("reason", to_string(reason)).finish();
}

event::NewEvent client_connected_event(std::string_view client_id) {
  return Draft("client_connected").text("client_id", client_id).finish();
}

event::NewEvent client_disconnected_event(std::string_view client_id) {
  return Draft("client_disconnected").text("client_id", client_id).finish();
}

}  // namespace vibes::session
