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

constexpr std::size_t kWindow = 500;

const std::vector<Check> kPromises = {Check::offset_agreement, Check::resume_point,
                                      Check::processed, Check::commit_in_log};

/// A durable group whose member comes and goes.
class ConsumerGroups {
 public:
  explicit ConsumerGroups(Stage& stage)
      : stage_(stage),
        recorder_(stage.options().seed),
        group_(stage.tag()),
        events_(std::max<std::uint64_t>(stage.options().events / 100, 60)) {}

  void play() {
    using client::Deadline;
    const bool went =
        stage_.step("events are appended", [&](Deadline d) { return append(d); }) &&
        stage_.step("a new group starts at the beginning", [&](Deadline d) { return begin(d); }) &&
        stage_.step("it resumes from its commit", [&](Deadline d) { return crash_and_return(d); });
    stage_.claim("a second member may join", [&](Deadline d) { return second(d); });
    stage_.claim("a commit past the end is refused", [&](Deadline d) { return overshoot(d); });
    stage_.claim("the server shows where it stands", [&](Deadline d) { return look_up(d); });
    stage_.claim("it resumes after a kill -9 of the server", [&](Deadline d) { return kill(d); });
    if (went && stage_.step("it gets everything", [&](Deadline d) { return finish(d); })) {
      judge();
    }
    stage_.claim("it can be forgotten", [&](Deadline d) { return forget(d); });
  }

 private:
  CheckOutcome append(client::Deadline deadline) {
    VIBES_TRY(stage_.open());
    Load load(stage_.target(), recorder_,
              {.producer = 0, .session = stage_.tag(), .seed = stage_.options().seed});
    VIBES_TRY(load.connect(deadline));
    while (load.sent() < events_) {
      VIBES_TRY(load.send(1, deadline));
      VIBES_TRY(load.settle(kWindow, deadline));
    }
    VIBES_TRY(load.settle(0, deadline));
    VIBES_TRY_ASSIGN(end, log_end(stage_.target(), deadline));
    end_ = end;
    return CheckOutcome::passed();
  }

  Result<void> join(client::Deadline deadline) {
    member_.emplace(
        stage_.target(), recorder_,
        WatchOptions{
            .client = 0, .query = "", .types = {}, .session = "", .group = group_, .on_event = {}});
    return member_->connect("beginning", deadline);
  }

  /// Takes everything up to the offset at least, and commits some of it: what is taken beyond comes
  /// again.
  Result<void> work(Offset until, Offset commit, client::Deadline deadline) {
    VIBES_TRY(member_->take_to(until, deadline));
    return member_->commit(commit, deadline);
  }

  CheckOutcome begin(client::Deadline deadline) {
    VIBES_TRY(join(deadline));
    const Offset first = member_->next();
    VIBES_TRY(work(end_, first + (end_ - first) / 3, deadline));
    return first == Offset(0) || stage_.server() == nullptr
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("from=beginning started elsewhere", "0",
                                        std::to_string(first.value()));
  }

  /// Waits for the server to notice that the member is gone.
  Result<void> rejoin(client::Deadline deadline) {
    return wait_until("the group to be free again", deadline, [&]() -> Result<bool> {
      auto joined = join(client::within(std::chrono::seconds(5)));
      if (joined || joined.error().code == client::Errc::conflict ||
          joined.error().context.find("group_busy") != std::string::npos ||
          joined.error().code == client::Errc::connection_lost) {
        return joined.has_value();
      }
      return fail(std::move(joined).error());
    });
  }

  CheckOutcome crash_and_return(client::Deadline deadline) {
    member_->drop();
    VIBES_TRY(rejoin(deadline));
    VIBES_TRY(work(end_, Offset(end_.value() * 2 / 3), deadline));
    return CheckOutcome::passed();
  }

  /// It leaves at once, and what it had goes back.
  CheckOutcome second(client::Deadline deadline) {
    Recorder scratch(0);
    Watcher second(
        stage_.target(), scratch,
        WatchOptions{
            .client = 0, .query = "", .types = {}, .session = "", .group = group_, .on_event = {}});
    const auto joined = second.connect("beginning", deadline);
    second.drop();
    return joined ? CheckOutcome::passed()
                  : CheckOutcome::mismatch("several members share a group", "it joins",
                                           joined.error().message());
  }

  CheckOutcome overshoot(client::Deadline deadline) {
    const std::string message =
        fmt::format(R"({{"type":"commit","offset":{}}})", end_.value() + 1'000'000);
    VIBES_TRY(member_->socket().send(message, deadline));
    Result<void> answer;
    do {
      answer = member_->take(deadline);
    } while (answer);
    return answer.error().message().find("bad_commit") != std::string::npos
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("a commit past the end of the log", "error bad_commit",
                                        answer.error().message());
  }

  CheckOutcome look_up(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(group, get_json(stage_.target(), "/api/consumers/" + group_, deadline));
    const std::uint64_t committed = group.value("committed", std::uint64_t{0});
    const std::uint64_t expected = end_.value() * 2 / 3;
    return committed == expected && group.value("kind", "") == "durable"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("GET /api/consumers/GROUP",
                                        fmt::format("durable, committed {}", expected),
                                        group.dump());
  }

  CheckOutcome kill(client::Deadline deadline) {
    if (stage_.server() == nullptr) {
      return CheckOutcome::skipped("the server at --url is not ours");
    }
    if (stage_.options().log.starts_with("memory:")) {
      return CheckOutcome::skipped("a log in memory does not survive");
    }
    member_->drop();
    recorder_.add(Fault{"kill -9", FaultPhase::start, 0});
    VIBES_TRY(stage_.server()->kill());
    VIBES_TRY(stage_.server()->start_again(deadline));
    recorder_.add(Fault{"kill -9", FaultPhase::stop, 0});
    return CheckOutcome::passed();
  }

  CheckOutcome finish(client::Deadline deadline) {
    member_->drop();
    VIBES_TRY(rejoin(deadline));
    VIBES_TRY(work(end_, end_, deadline));
    VIBES_TRY_ASSIGN(
        log, read_log(stage_.target(), Image::replay,
                      {Offset{}, stage_.server() != nullptr ? "" : stage_.tag()}, deadline));
    recorder_.add(std::move(log));
    return CheckOutcome::passed();
  }

  void judge() {
    History history = recorder_.history();
    history.is_shared = stage_.server() == nullptr;
    judge_history(stage_, std::move(history), kPromises);
  }

  CheckOutcome forget(client::Deadline deadline) {
    member_->drop();
    client::HttpClient http(stage_.target());
    client::HttpResponse answer;
    VIBES_TRY(wait_until("DELETE to be possible", deadline, [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(
          response,
          http.send(
              {.method = "DELETE", .path = "/api/consumers/" + group_, .headers = {}, .body = ""},
              deadline));
      answer = std::move(response);
      return answer.status != 409;
    }));
    if (answer.status != 204) {
      return CheckOutcome::mismatch("DELETE /api/consumers/GROUP", "204",
                                    fmt::format("{} {}", answer.status, answer.body));
    }
    VIBES_TRY_ASSIGN(
        gone,
        http.send({.method = "GET", .path = "/api/consumers/" + group_, .headers = {}, .body = ""},
                  deadline));
    return gone.status == 404 ? CheckOutcome::passed()
                              : CheckOutcome::mismatch("it is still there", "404", gone.body);
  }

  Stage& stage_;
  Recorder recorder_;
  std::string group_;
  std::uint64_t events_;
  Offset end_;
  std::optional<Watcher> member_;
};

}  // namespace

Scenario consumer_groups_scenario() {
  auto checks = steps_and({"events are appended", "a new group starts at the beginning",
                           "it resumes from its commit", "a second member may join",
                           "a commit past the end is refused", "the server shows where it stands",
                           "it resumes after a kill -9 of the server", "it gets everything"},
                          kPromises);
  checks.emplace_back("it can be forgotten");
  return {.name = "consumer-groups",
          .summary = "a group gets every event, and again only what it had not committed",
          .needs = Needs::any_server,
          .checks = std::move(checks),
          .play = [](Stage& stage) { ConsumerGroups(stage).play(); }};
}

}  // namespace vibes::verify
