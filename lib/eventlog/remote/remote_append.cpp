// SPDX-License-Identifier: MIT
#include "eventlog/remote/remote_append.hpp"

#include <algorithm>
#include <string_view>

namespace vibes::eventlog::remote {
namespace {

/// The session that all of its events have; nothing where they differ.
std::optional<std::string_view> session_of(const RemoteAppend& append) {
  const std::string_view session = append.events.front().session;
  const bool same = std::ranges::all_of(
      append.events, [&](const event::NewEvent& event) { return event.session == session; });
  return same ? std::optional(session) : std::nullopt;
}

}  // namespace

std::size_t message_bytes(const std::vector<event::NewEvent>& events, std::size_t overhead) {
  std::size_t bytes = 0;
  for (const event::NewEvent& event : events) {
    bytes += event.payload.size() + (events.size() > 1 ? overhead : 0);
  }
  return bytes;
}

bool go_together(const RemoteAppend& one, const RemoteAppend& other) {
  return !one.alone && !other.alone && one.recorded == other.recorded &&
         session_of(one) == session_of(other);
}

}  // namespace vibes::eventlog::remote
