// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "client/errc.hpp"
#include "verify/errc.hpp"
#include "verify/load.hpp"
#include "verify/log_image.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"
#include "verify/scenarios/torn_tail.hpp"
#include "verify/watcher.hpp"

namespace vibes::verify {
namespace {

constexpr std::uint32_t kProducers = 3;
constexpr std::uint32_t kWatchers = 2;
constexpr std::size_t kWindow = 200;
constexpr unsigned kFaults = 6;  // every second one is a kill -9
constexpr std::chrono::seconds kStopWithin{15};

const std::vector<Check> kPromises = {
    Check::images_agree, Check::lost,         Check::phantom,
    Check::aborted_read, Check::duplicate,    Check::offset_agreement,
    Check::dense,        Check::real_time,    Check::producer_order,
    Check::lossless,     Check::idempotency,  Check::stream_order,
    Check::atomic_batch, Check::resumable,    Check::unhappened,
    Check::progress,     Check::completeness, Check::recovery};

/// Producers and firehose clients that go on whatever happens to the server, while it is stopped
/// and killed.
class Restart {
 public:
  explicit Restart(Stage& stage)
      : stage_(stage),
        recorder_(stage.options().seed),
        between_faults_(std::max<std::uint64_t>(stage.options().events / 50, 50)) {}

  void play() {
    using client::Deadline;
    const bool survived =
        stage_.step("the server starts",
                    [&](Deadline d) -> CheckOutcome {
                      VIBES_TRY(stage_.open());
                      VIBES_TRY_ASSIGN(begin, log_end(stage_.target(), d));
                      begin_ = begin;
                      return CheckOutcome::passed();
                    }) &&
        run_under_load() &&
        stage_.step("the log is replayed", [&](Deadline d) { return replay(Image::replay, d); }) &&
        stage_.step("it stops cleanly once more", [&](Deadline d) { return stop_last(d); });
    if (!survived) {
      return;
    }
    stage_.claim("the directory is read offline", [&](Deadline) { return read_offline(); });
    if (stage_.step("it starts and the log is replayed again",
                    [&](Deadline d) { return start_last(d); })) {
      judge();
      stage_.claim("a torn tail is refused or recovered, and told",
                   [&](Deadline d) { return check_torn_tail(stage_, d); });
    }
  }

 private:
  bool run_under_load() {
    target_ = stage_.target();
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < kProducers; ++i) {
      threads.emplace_back([this, i](const std::stop_token& stop) { produce(i, stop); });
    }
    for (std::uint32_t i = 0; i < kWatchers; ++i) {
      threads.emplace_back([this, i](const std::stop_token& stop) { watch(i, stop); });
    }
    const bool survived = stage_.step("it survives SIGTERM and kill -9 under load",
                                      [&](client::Deadline d) { return torment(d); }) &&
                          stage_.step("producers and clients come to rest",
                                      [&](client::Deadline d) { return come_to_rest(d); });
    return survived;  // the threads are told to stop and joined here
  }

  /// Until told to stop: append, and after a loss connect again and send what is unanswered under
  /// the same ids.
  void produce(std::uint32_t producer, const std::stop_token& stop) {
    Load load(target_, recorder_,
              {.producer = producer, .session = stage_.tag(), .seed = stage_.options().seed});
    bool is_connected = false;
    const std::size_t batch = producer == 2 ? 5 : 1;
    const std::size_t window = producer == 0 ? 0 : kWindow;
    while (!stop.stop_requested()) {
      const auto soon = client::within(std::chrono::seconds(2));
      if (!is_connected) {
        is_connected = load.recover(target_, soon).has_value();
        if (!is_connected) {
          load.lose();
          pause();
        }
        continue;
      }
      if (resting_ && load.unanswered() == 0) {
        rested_producers_.fetch_or(1U << producer);
        pause();
        continue;
      }
      auto went = resting_ ? Result<void>() : load.send(batch, soon);
      went = went ? load.settle(resting_ ? 0 : window, soon) : std::move(went);
      acked_[producer] = load.acked();
      if (!went && went.error().code != client::Errc::timed_out) {
        load.lose();
        is_connected = false;
      }
    }
  }

  /// Until told to stop: follow the firehose, and after a loss resume at the offset after the last
  /// one seen.
  void watch(std::uint32_t index, const std::stop_token& stop) {
    Watcher watcher(target_, recorder_,
                    {.client = index + 1,
                     .query = "heartbeat=1",
                     .types = {},
                     .session = "",
                     .group = "",
                     .on_event = {}});
    bool is_connected = false;
    while (!stop.stop_requested()) {
      const auto soon = client::within(std::chrono::milliseconds(200));
      const auto went =
          is_connected ? watcher.take(soon)
                       : watcher.connect(std::to_string(std::max(watcher.next(), begin_).value()),
                                         client::within(std::chrono::seconds(2)));
      if (went || went.error().code == client::Errc::timed_out) {
        is_connected = is_connected || went;
        seen_[index] = watcher.next().value();
      } else {
        watcher.drop();
        is_connected = false;
        pause();
      }
    }
    recorder_.add(Finish{index + 1, 0});
  }

  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

  [[nodiscard]] std::uint64_t acked() const {
    std::uint64_t sum = 0;
    for (const auto& count : acked_) {
      sum += count;
    }
    return sum;
  }

  /// Waits for load between the faults, so that each hits a busy server, at a moment the seed
  /// chooses.
  CheckOutcome torment(client::Deadline deadline) {
    for (unsigned fault = 0; fault < kFaults; ++fault) {
      const std::uint64_t before = acked();
      const std::uint64_t until = before + between_faults_ + stage_.random()() % between_faults_;
      if (auto waited = wait_until("appends to go on", deadline,
                                   [&] { return Result<bool>(acked() >= until); });
          !waited) {
        return CheckOutcome::mismatch(waited.error().message(),
                                      fmt::format("{} more acks", until - before),
                                      fmt::format("{} more acks", acked() - before));
      }
      CheckOutcome outcome = fault % 2 == 0 ? kill(deadline) : terminate(deadline);
      if (outcome.failure()) {
        return outcome;
      }
    }
    return CheckOutcome::passed();
  }

  CheckOutcome kill(client::Deadline deadline) {
    recorder_.add(Fault{"kill -9", FaultPhase::start, 0});
    VIBES_TRY_ASSIGN(status, stage_.own_server().kill());
    if (status.signal == 0) {
      return CheckOutcome::mismatch("the server had ended by itself", "killed by signal 9",
                                    to_string(status));
    }
    return start_again("kill -9", deadline);
  }

  CheckOutcome terminate(client::Deadline deadline) {
    recorder_.add(Fault{"SIGTERM", FaultPhase::start, 0});
    VIBES_TRY_ASSIGN(status, stage_.own_server().stop(client::within(kStopWithin)));
    if (status.code != 0) {
      return CheckOutcome::mismatch("SIGTERM did not end the server cleanly", "exit code 0",
                                    to_string(status));
    }
    return start_again("SIGTERM", deadline);
  }

  CheckOutcome start_again(const std::string& fault, client::Deadline deadline) {
    recorder_.add(Fault{fault, FaultPhase::down, 0});
    VIBES_TRY(stage_.own_server().start_again(deadline));
    const auto took = static_cast<std::uint64_t>(stage_.own_server().start_took().count());
    VIBES_TRY_ASSIGN(end, log_end(stage_.target(), deadline));
    recorder_.add(Fault{fault, FaultPhase::stop, 0});
    recorder_.add(
        Recovery{.end = end, .bytes_cut = 0, .bytes_quarantined = 0, .took_ms = took, .at = 0});
    return CheckOutcome::passed();
  }

  CheckOutcome come_to_rest(client::Deadline deadline) {
    resting_ = true;
    VIBES_TRY(wait_until("the producers' last acks", deadline, [&] {
      return Result<bool>(rested_producers_ == (1U << kProducers) - 1);
    }));
    VIBES_TRY_ASSIGN(end, log_end(stage_.target(), deadline));
    for (std::uint32_t i = 0; i < kWatchers; ++i) {
      const auto caught_up =
          wait_until(fmt::format("client {} to reach the end of the log", i + 1), deadline,
                     [&] { return Result<bool>(seen_[i] >= end.value()); });
      if (!caught_up) {
        return CheckOutcome::mismatch(caught_up.error().message(), std::to_string(end.value()),
                                      std::to_string(seen_[i]));
      }
    }
    return CheckOutcome::passed();
  }

  CheckOutcome replay(Image image, client::Deadline deadline) {
    VIBES_TRY_ASSIGN(log, read_log(stage_.target(), image, {begin_, ""}, deadline));
    recorder_.add(std::move(log));
    return CheckOutcome::passed();
  }

  CheckOutcome stop_last(client::Deadline) {
    VIBES_TRY_ASSIGN(status, stage_.own_server().stop(client::within(kStopWithin)));
    return status.code == 0 ? CheckOutcome::passed()
                            : CheckOutcome::mismatch("it did not stop cleanly", "exit code 0",
                                                     to_string(status));
  }

  CheckOutcome read_offline() {
    const std::string& engine = stage_.options().log;
    if (!(engine.empty() || engine.starts_with("file:")) || !stage_.options().read_offline) {
      return CheckOutcome::skipped("only a file log can be read offline");
    }
    VIBES_TRY_ASSIGN(log, stage_.options().read_offline(stage_.own_server().log_directory()));
    std::erase_if(log, [&](const Logged& logged) { return logged.offset < begin_; });
    recorder_.add(std::move(log));
    return CheckOutcome::passed();
  }

  CheckOutcome start_last(client::Deadline deadline) {
    VIBES_TRY(stage_.own_server().start_again(deadline));
    return replay(Image::after_restart, deadline);
  }

  void judge() {
    History history = recorder_.history();
    history.kept_from = begin_;
    judge_history(stage_, std::move(history), kPromises);
  }

  Stage& stage_;
  Recorder recorder_;
  std::uint64_t between_faults_;
  Offset begin_;           // where the log ended when we came
  client::Target target_;  // the port and the token stay the same across restarts
  std::atomic<bool> resting_ = false;
  std::atomic<unsigned> rested_producers_ = 0;  // a bit each
  std::array<std::atomic<std::uint64_t>, kProducers> acked_{};
  std::array<std::atomic<std::uint64_t>, kWatchers> seen_{};
};

}  // namespace

Scenario restart_scenario() {
  auto checks = steps_and(
      {"the server starts", "it survives SIGTERM and kill -9 under load",
       "producers and clients come to rest", "the log is replayed", "it stops cleanly once more",
       "the directory is read offline", "it starts and the log is replayed again"},
      kPromises);
  checks.emplace_back("a torn tail is refused or recovered, and told");
  return {.name = "restart",
          .summary = "stopped and killed under load, the server loses nothing it acknowledged",
          .needs = Needs::durable_log,
          .checks = std::move(checks),
          .play = [](Stage& stage) { Restart(stage).play(); }};
}

}  // namespace vibes::verify
