// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/uuid.hpp"

namespace vibes::consumers {

/// What people are told about one event. Texts are UTF-8 and short enough to show
/// (limits::kNotificationTextBytesMax).
struct Notification {
  std::string title;
  std::string body;
  std::string tag;  // of several with one tag a screen shows the newest
  std::string url;  // a path of the web interface; empty: none
  std::string session_id;
  std::string event_type;  // for programs: permission_needed, session_completed, …
  std::string trigger;     // what it was that fired, by the name --notify-off takes
  // The event behind it; a test has none, and then these are empty.
  Offset offset = {};
  Uuid event_id = {};
  Timestamp time = {};
  std::string type = {};
  std::string payload = {};
};

}  // namespace vibes::consumers
