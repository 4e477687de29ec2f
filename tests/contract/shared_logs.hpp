// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "contract/harness.hpp"

namespace vibes::test {

inline eventlog::LogOptions own_options(const TempDir& directory, const std::string& name) {
  eventlog::LogOptions options;
  options.state_directory = directory.path() / name;
  options.free_disk_floor_bytes = 0;
  options.segment_bytes = 256 * limits::kKiB;
  options.engine_patience = std::chrono::milliseconds(300);
  return options;
}

inline std::unique_ptr<eventlog::CopyTarget> open(const std::string& url,
                                                  const eventlog::LogOptions& options) {
  auto opened = engines::open_log(url, options);
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
}

inline void wait_for_end(EventLog& log, Offset end) {
  while (log.end() < end) {
    log.signal().wait_beyond(log.end(), {}, std::chrono::seconds(1));
  }
}

/// Appends `count` events of its own, ten at a time, and says what it was told.
class Writer {
 public:
  Writer(EventLog& log, std::string name, std::uint64_t count)
      : log_(log), name_(std::move(name)), thread_([this, count] { run(count); }) {}

  void join() { thread_.join(); }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t pending() const { return pending_; }
  /// Acks that are not pending and say `replicated`.
  [[nodiscard]] std::uint64_t replicated() const { return replicated_; }

 private:
  void run(std::uint64_t count) {
    std::atomic<std::uint64_t> in_flight = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      for (std::uint64_t now = in_flight; now >= 10; now = in_flight) {
        in_flight.wait(now);
      }
      ++in_flight;
      auto event = with_id(new_event("n", name_, ",\"n\":" + std::to_string(i)), random_uuid());
      const auto done = [&](const Result<AppendReceipt>& receipt) {
        acknowledged_ += receipt ? 1U : 0U;
        pending_ += receipt && receipt->pending ? 1U : 0U;
        replicated_ +=
            receipt && !receipt->pending && receipt->durability == eventlog::Durability::replicated
                ? 1U
                : 0U;
        --in_flight;
        in_flight.notify_all();
      };
      if (!log_.append({std::move(event)}, done)) {
        --in_flight;
      }
    }
    for (std::uint64_t now = in_flight; now > 0; now = in_flight) {
      in_flight.wait(now);
    }
  }

  EventLog& log_;
  const std::string name_;
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::atomic<std::uint64_t> pending_ = 0;
  std::atomic<std::uint64_t> replicated_ = 0;
  std::thread thread_;
};

/// Each writer's events once and in its order.
inline void check_streams(const std::vector<Seen>& all,
                          const std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::uint64_t> next;
  std::set<Uuid> ids;
  for (const Seen& event : all) {
    REQUIRE(ids.insert(event.event_id).second);
    REQUIRE(event.payload ==
            new_event("n", event.session, ",\"n\":" + std::to_string(next[event.session])).payload);
    ++next[event.session];
  }
  CHECK(next == counts);
}

}  // namespace vibes::test
