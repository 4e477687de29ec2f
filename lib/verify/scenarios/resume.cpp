// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "client/errc.hpp"
#include "verify/load.hpp"
#include "verify/log_image.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"
#include "verify/watcher.hpp"

namespace vibes::verify {
namespace {

constexpr std::chrono::seconds kStopWithin{15};
constexpr std::size_t kWindow = 500;

const std::vector<Check> kPromises = {Check::offset_agreement, Check::stream_order,
                                      Check::resumable,        Check::progress,
                                      Check::unhappened,       Check::completeness};

/// A client that comes back with its cursor, after the server was stopped and killed and while
/// events went by.
class Resume {
 public:
  explicit Resume(Stage& stage)
      : stage_(stage),
        recorder_(stage.options().seed),
        portion_(std::max<std::uint64_t>(stage.options().events / 100, 50)) {}

  void play() {
    using client::Deadline;
    const bool went = stage_.step("a client has read to the end", [&](Deadline d) -> CheckOutcome {
      VIBES_TRY(stage_.open());
      return begin(d);
    }) && stage_.step("its cursor resumes after SIGTERM", [&](Deadline d) -> CheckOutcome {
      VIBES_TRY(stage_.own_server().stop(client::within(kStopWithin)));
      return come_back(d);
    }) && stage_.step("its cursor resumes after kill -9", [&](Deadline d) -> CheckOutcome {
      VIBES_TRY(stage_.own_server().kill());
      return come_back(d);
    });
    if (went) {
      stage_.claim("a damaged cursor is refused", [&](Deadline d) { return damage(d); });
      stage_.claim("a cursor of another log is refused", [&](Deadline d) { return foreign(d); });
      stage_.claim("an offset past the end is refused", [&](Deadline d) { return too_far(d); });
    }
    if (went && stage_.step("the log is read back", [&](Deadline d) { return read_back(d); })) {
      judge_history(stage_, recorder_.history(), kPromises);
    }
  }

 private:
  Result<void> append(std::uint64_t count, client::Deadline deadline) {
    while (count-- > 0) {
      VIBES_TRY(load_->send(1, deadline));
      VIBES_TRY(load_->settle(kWindow, deadline));
    }
    return load_->settle(0, deadline);
  }

  CheckOutcome begin(client::Deadline deadline) {
    load_.emplace(
        stage_.target(), recorder_,
        LoadOptions{.producer = 0, .session = stage_.tag(), .seed = stage_.options().seed});
    VIBES_TRY(load_->connect(deadline));
    VIBES_TRY(append(portion_, deadline));
    watcher_.emplace(
        stage_.target(), recorder_,
        WatchOptions{
            .client = 1, .query = "", .types = {}, .session = "", .group = "", .on_event = {}});
    VIBES_TRY(watcher_->connect("beginning", deadline));
    return read_to_position(deadline);
  }

  /// Reads until the server has said where the client stands: that frame's cursor is the one to
  /// keep.
  CheckOutcome read_to_position(client::Deadline deadline) {
    const std::string before = watcher_->cursor();
    VIBES_TRY_ASSIGN(end, log_end(stage_.target(), deadline));
    while (watcher_->next() < end || watcher_->cursor() == before) {
      if (auto took = watcher_->take(deadline); !took) {
        return CheckOutcome::mismatch(took.error().message(),
                                      fmt::format("to be given everything below {}", end.value()),
                                      fmt::format("stands at {}", watcher_->next().value()));
      }
    }
    return CheckOutcome::passed();
  }

  CheckOutcome come_back(client::Deadline deadline) {
    watcher_->drop();
    load_->lose();
    VIBES_TRY(stage_.own_server().start_again(deadline));
    VIBES_TRY(load_->recover(stage_.target(), deadline));
    VIBES_TRY(append(portion_, deadline));
    const Offset kept = watcher_->next();
    VIBES_TRY(watcher_->connect(watcher_->cursor(), deadline));
    if (watcher_->next() != kept) {
      return CheckOutcome::mismatch("the cursor stands elsewhere now", std::to_string(kept.value()),
                                    std::to_string(watcher_->next().value()));
    }
    return read_to_position(deadline);
  }

  /// The connection must not come about, for the reason that is the cursor's fault.
  CheckOutcome expect_refused(const std::string& from, client::Deadline deadline) {
    Watcher other(
        stage_.target(), scratch_,
        WatchOptions{
            .client = 9, .query = "", .types = {}, .session = "", .group = "", .on_event = {}});
    const auto connected = other.connect(from, deadline);
    const bool is_refusal =
        !connected && (connected.error().code == client::Errc::cursor_unusable ||
                       connected.error().code == client::Errc::rejected ||
                       connected.error().code == client::Errc::conflict ||
                       connected.error().context.find("cursor") != std::string::npos);
    return is_refusal ? CheckOutcome::passed()
                      : CheckOutcome::mismatch(
                            "from=" + from, "a refusal that names the cursor or position",
                            connected ? "a connection" : connected.error().message());
  }

  CheckOutcome damage(client::Deadline deadline) {
    std::string cursor = watcher_->cursor();
    cursor.back() = cursor.back() == '0' ? '1' : '0';
    return expect_refused(cursor, deadline);
  }

  CheckOutcome foreign(client::Deadline deadline) {
    std::string cursor = watcher_->cursor();  // v1.<log_id>.…
    cursor[3] = cursor[3] == '0' ? '1' : '0';
    return expect_refused(cursor, deadline);
  }

  CheckOutcome too_far(client::Deadline deadline) {
    return expect_refused(std::to_string(watcher_->next().value() + 1'000'000), deadline);
  }

  CheckOutcome read_back(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(log, read_log(stage_.target(), Image::replay, {}, deadline));
    recorder_.add(std::move(log));
    recorder_.add(Finish{1, 0});
    return CheckOutcome::passed();
  }

  Stage& stage_;
  Recorder recorder_;
  Recorder scratch_{0};
  std::uint64_t portion_;
  std::optional<Load> load_;
  std::optional<Watcher> watcher_;
};

}  // namespace

Scenario resume_scenario() {
  return {.name = "resume",
          .summary = "a cursor continues exactly where it was, across restarts, or is refused",
          .needs = Needs::durable_log,
          .checks = steps_and({"a client has read to the end", "its cursor resumes after SIGTERM",
                               "its cursor resumes after kill -9", "a damaged cursor is refused",
                               "a cursor of another log is refused",
                               "an offset past the end is refused", "the log is read back"},
                              kPromises),
          .play = [](Stage& stage) { Resume(stage).play(); }};
}

}  // namespace vibes::verify
