// SPDX-License-Identifier: MIT
#pragma once

#include "base/mutex.hpp"
#include "eventlog/commit_signal.hpp"
#include "eventlog/group_offsets.hpp"

namespace vibes::eventlog {

/// Group positions that last as long as the process.
class MemoryGroupOffsets final : public GroupOffsets {
 public:
  explicit MemoryGroupOffsets(const CommitSignal& signal) : signal_(signal) {}

  Result<void> commit(std::string_view group, Offset next) override;
  [[nodiscard]] std::optional<Offset> committed(std::string_view group) const override;
  [[nodiscard]] std::map<std::string, Offset, std::less<>> all() const override;
  Result<void> remove(std::string_view group) override;

 private:
  const CommitSignal& signal_;
  mutable Mutex mutex_;
  std::map<std::string, Offset, std::less<>> offsets_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog
