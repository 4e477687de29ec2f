// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "verify/load.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"
#include "verify/watcher.hpp"

namespace vibes::verify {
namespace {

using client::Deadline;

constexpr std::uint64_t kEvents = 60;
constexpr std::uint64_t kPoison = 20;  // how many come before the one that cannot be handled
constexpr std::size_t kWindow = 100;

/// A durable group that meets an event its member cannot handle, twice.
class DeadLetter {
 public:
  explicit DeadLetter(Stage& stage)
      : stage_(stage), recorder_(stage.options().seed), group_(stage.tag()) {}

  void play() {
    const bool went = stage_.step("events are appended", [&](Deadline d) {
      return append(d);
    }) && stage_.step("a member gives one event up", [&](Deadline d) { return give_up(d); });
    if (!went) {
      return;
    }
    stage_.claim("it is among the dead letters", [&](Deadline d) { return look_up(d); });
    stage_.claim("the group has moved on", [&](Deadline d) { return moved_on(d); });
    stage_.claim("given up again it is still one letter", [&](Deadline d) { return again(d); });
    stage_.claim("the letter survives a kill -9 of the server",
                 [&](Deadline d) { return kill(d); });
    stage_.claim("a reset forgets it", [&](Deadline d) { return reset(d); });
  }

 private:
  CheckOutcome append(Deadline deadline) {
    VIBES_TRY(stage_.open());
    VIBES_TRY_ASSIGN(begin, log_end(stage_.target(), deadline));
    Load load(stage_.target(), recorder_,
              {.producer = 0, .session = stage_.tag(), .seed = stage_.options().seed});
    VIBES_TRY(load.connect(deadline));
    while (load.sent() < kEvents) {
      VIBES_TRY(load.send(1, deadline));
      VIBES_TRY(load.settle(kWindow, deadline));
    }
    VIBES_TRY(load.settle(0, deadline));
    poison_ = begin + kPoison;
    return CheckOutcome::passed();
  }

  /// Joins where the group stands, takes the event and rejects it; what the server answers is the
  /// commit behind it.
  Result<void> reject(Deadline deadline) {
    VIBES_TRY(wait_until("the group to be free", deadline, [&]() -> Result<bool> {
      member_.emplace(stage_.target(), recorder_,
                      WatchOptions{.client = 0,
                                   .query = "",
                                   .types = {},
                                   .session = "",
                                   .group = group_,
                                   .on_event = {}});
      return member_->connect("beginning", client::within(std::chrono::seconds(5))).has_value();
    }));
    VIBES_TRY(member_->take_to(poison_ + 1, deadline));
    VIBES_TRY(member_->socket().send(
        fmt::format(R"({{"type":"reject","offset":{},"reason":"poison","attempts":8}})",
                    poison_.value()),
        deadline));
    VIBES_TRY(member_->commit(poison_ + 1, deadline));
    member_->drop();
    return {};
  }

  CheckOutcome give_up(Deadline deadline) {
    VIBES_TRY(reject(deadline));
    return CheckOutcome::passed();
  }

  /// The offsets of the group's dead letters.
  Result<std::vector<std::uint64_t>> letters(Deadline deadline) {
    client::HttpClient http(stage_.target());
    VIBES_TRY_ASSIGN(answer, http.send({.method = "GET",
                                        .path = "/api/consumers/" + group_ + "/dead-letters",
                                        .headers = {},
                                        .body = ""},
                                       deadline));
    std::vector<std::uint64_t> offsets;
    std::string_view rest = answer.body;
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
      const auto letter = nlohmann::json::parse(rest.substr(0, end), nullptr, false);
      offsets.push_back(letter.is_object() ? letter.value("offset", std::uint64_t{0}) : 0);
      rest.remove_prefix(end + 1);
    }
    return offsets;
  }

  CheckOutcome look_up(Deadline deadline) {
    VIBES_TRY_ASSIGN(offsets, letters(deadline));
    return offsets == std::vector{poison_.value()}
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("GET /api/consumers/GROUP/dead-letters",
                                        fmt::format("one letter, of event {}", poison_.value()),
                                        fmt::format("{} letters", offsets.size()));
  }

  CheckOutcome moved_on(Deadline deadline) {
    VIBES_TRY_ASSIGN(group, get_json(stage_.target(), "/api/consumers/" + group_, deadline));
    const std::uint64_t committed = group.value("committed", std::uint64_t{0});
    return committed == poison_.value() + 1 && group.value("dead_letters", 0) == 1
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch(
                     "GET /api/consumers/GROUP",
                     fmt::format("committed {}, dead_letters 1", poison_.value() + 1),
                     group.dump());
  }

  CheckOutcome again(Deadline deadline) {
    client::HttpClient http(stage_.target());
    VIBES_TRY(wait_until("the group to be free", deadline, [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(answer,
                       http.send({.method = "PUT",
                                  .path = "/api/consumers/" + group_,
                                  .headers = {{"Content-Type", "application/json"}},
                                  .body = fmt::format(R"({{"position":"{}"}})", poison_.value())},
                                 deadline));
      return answer.status == 200;
    }));
    VIBES_TRY(reject(deadline));
    return look_up(deadline);
  }

  CheckOutcome kill(Deadline deadline) {
    if (stage_.server() == nullptr) {
      return CheckOutcome::skipped("the server at --url is not ours");
    }
    if (stage_.options().log.starts_with("memory:")) {
      return CheckOutcome::skipped("a log in memory does not survive");
    }
    VIBES_TRY(stage_.server()->kill());
    VIBES_TRY(stage_.server()->start_again(deadline));
    return look_up(deadline);
  }

  CheckOutcome reset(Deadline deadline) {
    client::HttpClient http(stage_.target());
    client::HttpResponse answer;
    VIBES_TRY(wait_until("the group to be free", deadline, [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(response, http.send({.method = "POST",
                                            .path = "/api/consumers/" + group_ + "/reset",
                                            .headers = {},
                                            .body = ""},
                                           deadline));
      answer = std::move(response);
      return answer.status != 409;
    }));
    VIBES_TRY_ASSIGN(offsets, letters(deadline));
    return answer.status == 200 && offsets.empty()
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch(
                     "POST /api/consumers/GROUP/reset", "200 and no letters",
                     fmt::format("{}, {} letters", answer.status, offsets.size()));
  }

  Stage& stage_;
  Recorder recorder_;
  std::string group_;
  Offset poison_;
  std::optional<Watcher> member_;
};

}  // namespace

Scenario dead_letter_scenario() {
  return {.name = "dead-letter",
          .summary = "an event that cannot be handled is set aside once, and the group moves on",
          .needs = Needs::any_server,
          .checks = {"events are appended", "a member gives one event up",
                     "it is among the dead letters", "the group has moved on",
                     "given up again it is still one letter",
                     "the letter survives a kill -9 of the server", "a reset forgets it"},
          .play = [](Stage& stage) { DeadLetter(stage).play(); }};
}

}  // namespace vibes::verify
