// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eventlog/file/file_event_log.hpp"
#include "io/sim_disk.hpp"
#include "support/catch.hpp"

namespace vibes::test {

inline constexpr const char* kSimDirectory = "/data";

/// Time that moves a millisecond each time it is asked for.
class TickingClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    return Timestamp{(ms_.fetch_add(1) + 1'700'000'000'000) * 1'000};
  }
  [[nodiscard]] std::int64_t steady_ns() const override { return ms_.load() * 1'000'000; }
  void advance(std::chrono::milliseconds by) { ms_ += by.count(); }

 private:
  mutable std::atomic<std::int64_t> ms_{0};
};

/// What a test tried to put into a log, and how far it was acknowledged.
struct Attempts {
  struct Event {
    Uuid event_id;
    std::string payload;
  };
  std::vector<Event> events;
  std::size_t acked = 0;
  std::size_t dropped_at_most = 0;  // of the first events, by retention
  std::uint64_t commit_acked = 0;
  std::uint64_t commit_attempted = 0;
};

/// A file log on a SimDisk, whose housekeeping is done on demand: the order of all calls is fixed.
class SimLog {
 public:
  explicit SimLog(std::uint64_t segment_bytes = 8 * limits::kKiB) : SimLog({}, segment_bytes) {}
  SimLog(std::optional<io::SimDisk::State> state, std::uint64_t segment_bytes)
      : disk_(state ? std::make_unique<io::SimDisk>(*std::move(state))
                    : std::make_unique<io::SimDisk>()) {
    options_.segment_bytes = segment_bytes;
    options_.free_disk_floor_bytes = 0;
    options_.clock = &clock_;
    options_.file_system = disk_.get();
  }

  [[nodiscard]] io::SimDisk& disk() { return *disk_; }
  [[nodiscard]] eventlog::LogOptions& options() { return options_; }
  [[nodiscard]] TickingClock& clock() { return clock_; }
  [[nodiscard]] eventlog::EventLog& log() { return *log_; }
  [[nodiscard]] Attempts& attempts() { return attempts_; }

  Result<void> open() {
    VIBES_TRY_ASSIGN(log, eventlog::file::FileEventLog::open(
                              kSimDirectory, options_, eventlog::file::Housekeeping::on_demand));
    log_ = std::move(log);
    return {};
  }
  Result<void> close() {
    auto closed = log_->close();
    log_.reset();
    return closed;
  }
  /// The process dies: the page cache stays.
  void kill();
  /// The machine dies: only what is on disk stays, and what `survives` says.
  void crash(const std::function<bool(std::size_t)>& survives);

  /// Appends one batch of events of these payload sizes and waits for the answer.
  Result<eventlog::AppendReceipt> append(const std::vector<std::size_t>& payload_bytes);
  /// `acked` runs on the writer's thread, within the ack.
  Result<eventlog::AppendReceipt> append_as(std::vector<event::NewEvent> batch,
                                            std::function<void()> acked = {});
  Result<void> commit(std::uint64_t next);

  /// Called within every ack of append() and behind every commit(): a moment at which the machine
  /// may stop, too.
  void on_ack(std::function<void()> observer) { on_ack_ = std::move(observer); }

  void flip_bit(const std::string& path, std::uint64_t bit);
  void truncate_file(const std::string& path, std::uint64_t size);
  [[nodiscard]] std::string segment_path(std::uint64_t first) const;

 private:
  TickingClock clock_;
  std::unique_ptr<io::SimDisk> disk_;
  eventlog::LogOptions options_;
  std::unique_ptr<eventlog::EventLog> log_;
  Attempts attempts_;
  std::function<void()> on_ack_;
};

/// Empty if the log holds a prefix of the attempts with everything that was acknowledged, in order,
/// each id once and every byte as it was sent; else what is wrong. `count` becomes the number of
/// events found.
std::string check_log(eventlog::EventLog& log, const Attempts& attempts, std::size_t& count);

/// A number from the environment.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise);

}  // namespace vibes::test
