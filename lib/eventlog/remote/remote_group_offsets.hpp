// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "eventlog/group_offsets.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::remote {

/// The groups of a stream. What the engine has stored is kept here as well, so that looking asks
/// nobody. Thread-safe.
class RemoteGroupOffsets final : public GroupOffsets {
 public:
  using End = std::function<Offset()>;

  RemoteGroupOffsets(RemoteGroups& groups, End end) : groups_(groups), end_(std::move(end)) {}

  /// Asks the engine for all of them: what other processes have committed meanwhile.
  Result<void> refresh();

  Result<void> commit(std::string_view group, Offset next) override;
  [[nodiscard]] std::optional<Offset> committed(std::string_view group) const override;
  [[nodiscard]] std::map<std::string, Offset, std::less<>> all() const override;
  Result<void> remove(std::string_view group) override;

 private:
  RemoteGroups& groups_;
  const End end_;
  Mutex storing_;  // one request at a time; taken before mutex_
  mutable Mutex mutex_;
  RemoteGroups::Offsets offsets_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog::remote
