// SPDX-License-Identifier: MIT
#include <thread>

#include <fmt/format.h>

#include "verify/load.hpp"
#include "verify/log_image.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"
#include "verify/watcher.hpp"

namespace vibes::verify {
namespace {

constexpr std::uint32_t kProducers = 4;
constexpr std::size_t kWindow = 256;

const std::vector<Check> kPromises = {
    Check::lost,         Check::phantom,     Check::duplicate,      Check::offset_agreement,
    Check::dense,        Check::real_time,   Check::producer_order, Check::lossless,
    Check::atomic_batch, Check::idempotency, Check::stream_order,   Check::progress,
    Check::completeness};

/// Several producers at once, some pipelined, some waiting for each ack, some sending batches.
class AppendOrder {
 public:
  explicit AppendOrder(Stage& stage)
      : stage_(stage),
        recorder_(stage.options().seed),
        events_each_(std::max<std::uint64_t>(stage.options().events / 20, 100)) {}

  void play() {
    using client::Deadline;
    stage_.step("the server answers",
                [&](Deadline d) -> CheckOutcome {
                  VIBES_TRY(stage_.open());
                  VIBES_TRY_ASSIGN(begin, log_end(stage_.target(), d));
                  begin_ = begin;
                  return CheckOutcome::passed();
                }) &&
        stage_.step("four producers append", [&](Deadline d) { return append(d); }) &&
        stage_.step("a firehose client gets everything", [&](Deadline d) { return watch(d); }) &&
        stage_.step("the log is read back", [&](Deadline d) { return read_back(d); });
    if (is_read_) {
      judge();
    }
  }

 private:
  /// Producer 0 waits for each ack and so has an exact time for each; the others pipeline, the last
  /// one in batches.
  Result<void> produce(std::uint32_t producer, client::Deadline deadline) {
    Load load(stage_.target(), recorder_,
              {.producer = producer, .session = stage_.tag(), .seed = stage_.options().seed});
    VIBES_TRY(load.connect(deadline));
    const std::size_t batch = producer == kProducers - 1 ? 7 : 1;
    const std::uint64_t mine = producer == 0 ? events_each_ / 10 : events_each_;
    while (load.sent() < mine) {
      VIBES_TRY(load.send(batch, deadline));
      VIBES_TRY(load.settle(producer == 0 ? 0 : kWindow, deadline));
    }
    return load.settle(0, deadline);
  }

  CheckOutcome append(client::Deadline deadline) {
    WatchOptions options{.client = 1,
                         .query = "session=" + stage_.tag(),
                         .types = {},
                         .session = stage_.tag(),
                         .group = "",
                         .on_event = {}};
    watcher_.emplace(stage_.target(), recorder_, std::move(options));
    VIBES_TRY(watcher_->connect("end", deadline));
    std::vector<Result<void>> outcomes(kProducers);
    {
      std::vector<std::jthread> threads;
      for (std::uint32_t producer = 0; producer < kProducers; ++producer) {
        threads.emplace_back([&, producer] { outcomes[producer] = produce(producer, deadline); });
      }
    }
    for (const auto& outcome : outcomes) {
      if (!outcome) {
        return CheckOutcome::mismatch("a producer failed", "every event acknowledged",
                                      outcome.error().message());
      }
    }
    return CheckOutcome::passed();
  }

  CheckOutcome watch(client::Deadline deadline) {
    const std::uint64_t sent = recorder_.history().appends.size();
    while (watcher_->seen() < sent) {
      if (auto took = watcher_->take(deadline); !took) {
        return CheckOutcome::mismatch(took.error().message(), fmt::format("{} events", sent),
                                      fmt::format("{} events", watcher_->seen()));
      }
    }
    recorder_.add(Finish{1, 0});
    return CheckOutcome::passed();
  }

  CheckOutcome read_back(client::Deadline deadline) {
    const bool is_ours = stage_.server() != nullptr;
    VIBES_TRY_ASSIGN(log, read_log(stage_.target(), Image::replay,
                                   {begin_, is_ours ? "" : stage_.tag()}, deadline));
    recorder_.add(std::move(log));
    is_read_ = true;
    return CheckOutcome::passed();
  }

  void judge() {
    History history = recorder_.history();
    history.is_shared = stage_.server() == nullptr;
    history.kept_from = begin_;
    judge_history(stage_, std::move(history), kPromises);
  }

  Stage& stage_;
  Recorder recorder_;
  std::uint64_t events_each_;
  std::optional<Watcher> watcher_;
  Offset begin_;  // where the log ended when we came
  bool is_read_ = false;
};

}  // namespace

Scenario append_order_scenario() {
  return {.name = "append-order",
          .summary = "what several producers append keeps its order and its bytes",
          .needs = Needs::any_server,
          .checks = steps_and({"the server answers", "four producers append",
                               "a firehose client gets everything", "the log is read back"},
                              kPromises),
          .play = [](Stage& stage) { AppendOrder(stage).play(); }};
}

}  // namespace vibes::verify
