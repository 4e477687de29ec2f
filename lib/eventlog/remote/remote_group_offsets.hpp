// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "eventlog/group_offsets.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::remote {

/// The groups of a stream. What the engine has stored is kept here as well, so that looking asks
/// nobody. A group is claimed by one process at a time, and its claim renewed as long as that
/// lives; who lost it, because the engine could not be reached for too long, commits no more.
/// Thread-safe.
class RemoteGroupOffsets final : public GroupOffsets {
 public:
  using End = std::function<Offset()>;
  using Names = std::set<std::string, std::less<>>;
  struct Options {
    Names kept_here;  // LogOptions::groups_kept_here
    Names of_each;    // LogOptions::groups_of_each
    std::string owner;
  };

  /// `here` has the commits of the groups that are kept on this machine.
  RemoteGroupOffsets(RemoteGroups& groups, GroupOffsets& here, End end, Options options);
  RemoteGroupOffsets(const RemoteGroupOffsets&) = delete;
  RemoteGroupOffsets& operator=(const RemoteGroupOffsets&) = delete;
  /// Lets go of every group.
  ~RemoteGroupOffsets() override;

  /// Asks the engine for all of them: what other processes have committed meanwhile.
  Result<void> refresh();
  /// Ends every claim; no more are made. Idempotent.
  void let_go_of_all();

  Result<void> commit(std::string_view group, Offset next) override;
  [[nodiscard]] std::optional<Offset> committed(std::string_view group) const override;
  [[nodiscard]] std::map<std::string, Offset, std::less<>> all() const override;
  Result<void> remove(std::string_view group) override;
  Result<void> claim(std::string_view group) override;
  void release(std::string_view group) override;

 private:
  using Clockwork = std::chrono::steady_clock;

  Result<void> load();
  Result<void> check_commit(std::string_view group, Offset next) const;
  Result<void> check_claim(std::string_view group) const;
  [[nodiscard]] bool is_kept_here(std::string_view group) const {
    return options_.kept_here.contains(group);
  }
  void renew(const std::stop_token& stop);
  void renew_all();
  void let_go_of_released();

  RemoteGroups& groups_;
  GroupOffsets& here_;
  const End end_;
  const Options options_;
  Mutex asking_;  // one request at a time; taken before mutex_
  mutable Mutex mutex_;
  CondVar changed_;
  RemoteGroups::Offsets offsets_ VIBES_GUARDED_BY(mutex_);
  /// What we have claimed, and until when it is surely ours.
  std::map<std::string, Clockwork::time_point, std::less<>> claims_ VIBES_GUARDED_BY(mutex_);
  Names released_ VIBES_GUARDED_BY(mutex_);  // to be let go of
  std::jthread renewer_;
};

}  // namespace vibes::eventlog::remote
