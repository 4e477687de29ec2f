// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "event/payload_fwd.hpp"

namespace vibes::consumers {

/// Finds sessions that should be doing something and are not: a tool runs or a prompt is
/// unanswered, and no event of the session has come for a while. Remembers at most
/// limits::kStallSessionsMax sessions that wait; beyond it the one whose last event is the oldest
/// is forgotten. One thread.
class StallWatch {
 public:
  explicit StallWatch(std::chrono::milliseconds after) : after_(after) {}

  /// Takes every event in the log's order. The payload of one that concerns_notifications() denies
  /// may be none.
  void observe(const event::EventView& event, event::PayloadValue payload);

  /// The events `session.stalled` to append for the stalls that have come to be since the last
  /// call: one a stall, with an event_id that follows from the session's last event, so that a
  /// replay appends nothing twice.
  std::vector<event::NewEvent> due(Timestamp now);

 private:
  struct Watched {
    std::string session;
    std::set<std::string> tools;  // running, by their id or else their name
    bool unanswered = false;
    bool reported = false;
    Timestamp last;
    Uuid last_id;
  };
  using Sessions = std::list<Watched>;  // in the order of their last event, the oldest first

  /// A name is looked up at every event: as the view that it is.
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  Watched* touch(const event::EventView& event, std::string_view session);
  void forget(std::string_view session);

  const std::chrono::milliseconds after_;
  Sessions sessions_;
  std::unordered_map<std::string, Sessions::iterator, NameHash, std::equal_to<>> by_name_;
};

}  // namespace vibes::consumers
