// SPDX-License-Identifier: MIT
#include "session/session_table.hpp"

#include <algorithm>
#include <utility>

#include "session/session_events.hpp"

namespace vibes::session {

void SessionTable::insert(Entry entry) {
  const MutexLock lock(mutex_);
  std::string id = entry.id;
  entries_.insert_or_assign(std::move(id), std::move(entry));
}

void SessionTable::set_end(std::string_view id, std::uint64_t serial, const SessionEnd& end) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.serial == serial) {
    found->second.end = end;
  }
}

void SessionTable::remove(std::string_view id, std::uint64_t serial) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.serial == serial) {
    entries_.erase(found);
  }
}

std::optional<SessionTable::Entry> SessionTable::find(std::string_view id) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<SessionInfo> SessionTable::list() const {
  const MutexLock lock(mutex_);
  std::vector<SessionInfo> result;
  result.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) {
    result.push_back(info(entry));
  }
  return result;
}

std::size_t SessionTable::running() const {
  const MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const auto& item) { return !item.second.end; }));
}

SessionInfo SessionTable::info(const Entry& entry) {
  const SessionStream::Size size = entry.stream->size();
  return {.id = entry.id,
          .name = entry.name,
          .state = state_name(entry.end),
          .owner_id = entry.owner_id,
          .cwd = entry.cwd,
          .subscriber_count = entry.stream->subscribers(),
          .created_at = entry.created_at,
          .last_activity_at = entry.stream->last_activity(),
          .cols = size.cols,
          .rows = size.rows,
          .pid = entry.pid};
}

}  // namespace vibes::session
