// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <thread>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "client/spool.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::server {

/// Brings what waits in the clients' spool into the log: first at the start, before anyone is
/// served, so that it comes before what is new, then whenever something is left there. Each event
/// once, by its event_id; what the log refuses for what it is goes to the spool's `refused`.
class SpoolDrain {
 public:
  /// The log must outlive this.
  SpoolDrain(eventlog::EventLog& log, std::filesystem::path directory);
  SpoolDrain(const SpoolDrain&) = delete;
  SpoolDrain& operator=(const SpoolDrain&) = delete;
  /// Waits for the batch that is with the log.
  ~SpoolDrain();

  /// Drains once and begins to watch. What cannot be drained now stays, and is tried again. Errors:
  /// the directory cannot be made or watched.
  Result<void> start();

 private:
  void watch(const std::stop_token& stop);
  Result<void> drain();
  Result<void> deliver(std::span<const event::NewEvent> batch);
  Result<void> deliver_one(event::NewEvent event);

  eventlog::EventLog& log_;
  const std::filesystem::path directory_;
  client::Spool spool_;
  UniqueFd changes_;  // inotify(7)
  UniqueFd stop_event_;
  std::jthread thread_;
};

}  // namespace vibes::server
