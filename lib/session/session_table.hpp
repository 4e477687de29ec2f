// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/mutex.hpp"
#include "session/session_end.hpp"
#include "session/session_registry.hpp"
#include "session/session_stream.hpp"

namespace vibes::session {

/// The sessions that clients can see: those that run, and for a while those that have exited. The
/// session thread changes it, everybody reads it. Thread-safe.
class SessionTable {
 public:
  struct Entry {
    std::uint64_t serial = 0;  // tells a session from an earlier one of the same id
    std::string id;
    std::optional<std::string> name;
    std::string owner_id;
    std::string cwd;
    std::int64_t created_at = 0;
    pid_t pid = 0;
    std::shared_ptr<SessionStream> stream;  // shared with the session and its attachments
    std::optional<SessionEnd> end;
  };

  void insert(Entry entry);
  /// Marks the session as exited, if `serial` is still the one of that id.
  void set_end(std::string_view id, std::uint64_t serial, const SessionEnd& end);
  /// Nothing happens if `serial` is not the one of that id.
  void remove(std::string_view id, std::uint64_t serial);

  [[nodiscard]] std::optional<Entry> find(std::string_view id) const;
  [[nodiscard]] std::vector<SessionInfo> list() const;
  [[nodiscard]] std::size_t running() const;

  static SessionInfo info(const Entry& entry);

 private:
  mutable Mutex mutex_;  // taken before a stream's
  std::map<std::string, Entry, std::less<>> entries_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::session
