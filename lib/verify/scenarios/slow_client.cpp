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

constexpr std::size_t kWindow = 20;  // of batches
constexpr std::size_t kBatch = 100;
constexpr std::uint64_t kMiB = 1024ULL * 1024;
/// The rings and caches the server may fill: its broadcaster's, its log's tail, the idempotency
/// window for what is appended, and the allocator's slack. What it must not do is keep the slow
/// client's backlog beside them.
constexpr std::uint64_t kRssGrowthMax = 96 * kMiB;

const std::vector<Check> kPromises = {Check::lost,     Check::offset_agreement,
                                      Check::lossless, Check::stream_order,
                                      Check::progress, Check::completeness};

/// One client that does not read at all, and one that does, while events go by.
class SlowClient {
 public:
  explicit SlowClient(Stage& stage)
      : stage_(stage), recorder_(stage.options().seed), events_(stage.options().events) {}

  void play() {
    using client::Deadline;
    const bool went =
        stage_.step("a slow and a fast client are live", [&](Deadline d) { return connect(d); }) &&
        stage_.step("events go by while one does not read", [&](Deadline d) { return flood(d); }) &&
        stage_.step("the fast client has seen all of them live",
                    [&](Deadline d) { return read_fast(d); });
    stage_.claim("the server's memory stays flat", [&](Deadline) { return compare_memory(); });
    if (went &&
        stage_.step("the slow client then gets every event",
                    [&](Deadline d) { return read_slow(d); }) &&
        stage_.step("the log is read back", [&](Deadline d) { return read_back(d); })) {
      judge();
    }
  }

 private:
  WatchOptions watching(std::uint32_t client) const {
    return {.client = client,
            .query = "session=" + stage_.tag(),
            .types = {},
            .session = stage_.tag(),
            .group = "",
            .on_event = {}};
  }

  CheckOutcome connect(client::Deadline deadline) {
    VIBES_TRY(stage_.open());
    slow_.emplace(stage_.target(), recorder_, watching(1));
    fast_.emplace(stage_.target(), recorder_, watching(2));
    VIBES_TRY(slow_->connect("end", deadline));
    VIBES_TRY(fast_->connect("end", deadline));
    return CheckOutcome::passed();
  }

  /// Appends everything; the fast client reads beside it, the slow one is not touched.
  CheckOutcome flood(client::Deadline deadline) {
    Load load(stage_.target(), recorder_,
              {.producer = 0,
               .session = stage_.tag(),
               .seed = stage_.options().seed,
               .sizes = LoadOptions::Sizes::small});
    VIBES_TRY(load.connect(deadline));
    // The caches fill first, so that what is compared is the backlog and nothing else.
    VIBES_TRY(append(load, std::min<std::uint64_t>(events_ / 10, 10'000), deadline));
    rss_before_ = stage_.server() != nullptr ? stage_.server()->rss_bytes() : std::nullopt;
    const auto began = std::chrono::steady_clock::now();
    Result<void> appended;
    {
      const std::jthread producer([&] { appended = append(load, events_, deadline); });
      while (fast_->seen() < events_ && fast_->take(deadline)) {
      }
    }
    VIBES_TRY(std::move(appended));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    rss_after_ = stage_.server() != nullptr ? stage_.server()->rss_bytes() : std::nullopt;
    stage_.fact("appended and delivered",
                fmt::format("{} events in {:.1f} s", load.sent(), took.count()));
    events_ = load.sent();
    return slow_->seen() == 0 ? CheckOutcome::passed()
                              : CheckOutcome::mismatch("the slow client has read", "0 events",
                                                       std::to_string(slow_->seen()));
  }

  static Result<void> append(Load& load, std::uint64_t until, client::Deadline deadline) {
    while (load.sent() < until) {
      VIBES_TRY(load.send(kBatch, deadline));
      VIBES_TRY(load.settle(kWindow, deadline));
    }
    return load.settle(0, deadline);
  }

  CheckOutcome read(Watcher& watcher, client::Deadline deadline) const {
    while (watcher.seen() < events_) {
      if (auto took = watcher.take(deadline); !took) {
        return CheckOutcome::mismatch(took.error().message(), fmt::format("{} events", events_),
                                      fmt::format("{} events", watcher.seen()));
      }
    }
    return CheckOutcome::passed();
  }
  CheckOutcome read_fast(client::Deadline deadline) {
    CheckOutcome outcome = read(*fast_, deadline);
    recorder_.add(Finish{2, 0});
    return outcome;
  }
  CheckOutcome read_slow(client::Deadline deadline) {
    CheckOutcome outcome = read(*slow_, deadline);
    recorder_.add(Finish{1, 0});
    return outcome;
  }

  CheckOutcome compare_memory() {
    if (!rss_before_ || !rss_after_) {
      return CheckOutcome::skipped("the server is not ours, its memory cannot be seen");
    }
    if (stage_.server()->is_sanitized()) {
      return CheckOutcome::skipped("the server is a sanitizer build");
    }
    const std::uint64_t grown = *rss_after_ > *rss_before_ ? *rss_after_ - *rss_before_ : 0;
    stage_.fact("server RSS", fmt::format("{} MiB before, {} MiB after", *rss_before_ / kMiB,
                                          *rss_after_ / kMiB));
    return grown <= kRssGrowthMax
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("the server keeps the backlog in memory",
                                        fmt::format("at most {} MiB more", kRssGrowthMax / kMiB),
                                        fmt::format("{} MiB more", grown / kMiB));
  }

  CheckOutcome read_back(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(log,
                     read_log(stage_.target(), Image::replay, {Offset{}, stage_.tag()}, deadline));
    recorder_.add(std::move(log));
    return CheckOutcome::passed();
  }

  void judge() {
    History history = recorder_.history();
    history.is_shared = true;
    judge_history(stage_, std::move(history), kPromises);
  }

  Stage& stage_;
  Recorder recorder_;
  std::uint64_t events_;
  std::optional<Watcher> slow_;
  std::optional<Watcher> fast_;
  std::optional<std::uint64_t> rss_before_;
  std::optional<std::uint64_t> rss_after_;
};

}  // namespace

Scenario slow_client_scenario() {
  return {
      .name = "slow-client",
      .summary = "a client that does not read holds nobody up, costs no memory and loses nothing",
      .needs = Needs::any_server,
      .checks =
          steps_and({"a slow and a fast client are live", "events go by while one does not read",
                     "the fast client has seen all of them live", "the server's memory stays flat",
                     "the slow client then gets every event", "the log is read back"},
                    kPromises),
      .play = [](Stage& stage) { SlowClient(stage).play(); }};
}

}  // namespace vibes::verify
