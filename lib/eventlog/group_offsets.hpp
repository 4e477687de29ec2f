// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/offset.hpp"
#include "base/result.hpp"

namespace vibes::eventlog {

/// [a-z0-9._-], 1 to limits::kGroupNameBytesMax bytes, not "." or "..".
bool is_group_name(std::string_view name);

/// Where each consumer group stands: committed = the NEXT offset to read, on every engine.
/// Thread-safe.
class GroupOffsets {
 public:
  GroupOffsets() = default;
  GroupOffsets(const GroupOffsets&) = delete;
  GroupOffsets& operator=(const GroupOffsets&) = delete;
  virtual ~GroupOffsets() = default;

  /// Durable when it returns, as durable as the engine is. May move backwards (that is a seek).
  /// Errors: bad_group_name, too_many_groups, bad_commit (past the end of the log), or the I/O
  /// error, after which the earlier commit still stands.
  virtual Result<void> commit(std::string_view group, Offset next) = 0;
  [[nodiscard]] virtual std::optional<Offset> committed(std::string_view group) const = 0;
  [[nodiscard]] virtual std::map<std::string, Offset, std::less<>> all() const = 0;
  /// Forgets the group. Errors: not_found.
  virtual Result<void> remove(std::string_view group) = 0;

  /// Makes the group this process's, until release(), where several processes share a log; what
  /// another one has committed meanwhile is then known here. Again for a group that we have it does
  /// nothing. May wait for the engine. Errors: group_held (the context says by whom), unreachable.
  virtual Result<void> claim(std::string_view /*group*/) { return {}; }
  /// Lets others have it. Does not wait.
  virtual void release(std::string_view /*group*/) {}
};

}  // namespace vibes::eventlog
