// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "verify/errc.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"
#include "verify/watcher.hpp"

namespace vibes::verify {
namespace {

using nlohmann::json;

/// An event as the firehose or the log gave it.
struct Sighting {
  Offset offset;
  std::string event_id;
  json event;
};

/// The way of one event through the whole system, looked at from outside.
class CreateSession {
 public:
  explicit CreateSession(Stage& stage)
      : stage_(stage), recorder_(stage.options().seed), session_(stage.tag()) {}

  void play() {
    using client::Deadline;
    stage_.step("the server answers", [&](Deadline d) { return start(d); }) &&
        stage_.step("a firehose client is live", [&](Deadline d) { return watch(d); }) &&
        stage_.step("a session is created over /ws", [&](Deadline d) { return attach(d); }) &&
        stage_.step("session_created is in the log", [&](Deadline d) { return look_in_log(d); }) &&
        stage_.step("the websocket consumer is past it",
                    [&](Deadline d) { return ask_consumer(d); }) &&
        stage_.step("session_created is at the firehose",
                    [&](Deadline d) { return see_at_firehose("session_created", d); });
    stage_.claim("the log and the firehose tell the same", [&](Deadline) { return compare(); });
    stage_.claim("the firehose got it once", [&](Deadline) { return count_once(); });
    stage_.step("the session runs a program", [&](Deadline d) { return use_terminal(d); }) &&
        stage_.step("kill_session removes it", [&](Deadline d) { return kill(d); }) &&
        stage_.step("session_removed is at the firehose",
                    [&](Deadline d) { return see_at_firehose("session_removed", d); });
    stage_.claim("killing it again is an error and no event",
                 [&](Deadline d) { return kill_again(d); });
  }

 private:
  CheckOutcome start(client::Deadline deadline) {
    VIBES_TRY(stage_.open({"--session-command", "/bin/cat"}));
    VIBES_TRY_ASSIGN(health, get_json(stage_.target(), "/api/health", deadline));
    const std::string status = health.value("status", "");
    return status == "ok"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("the server is not well", "status ok", health.dump());
  }

  CheckOutcome watch(client::Deadline deadline) {
    WatchOptions options{.client = 1,
                         .query = "session=" + session_,
                         .types = {},
                         .session = session_,
                         .group = "",
                         .on_event = {}};
    options.on_event = [this](const client::TailEvent& event) {
      firehose_.push_back(
          {event.offset, std::string(event.event_id), json::parse(event.event, nullptr, false)});
    };
    watcher_.emplace(stage_.target(), recorder_, std::move(options));
    VIBES_TRY(watcher_->connect("end", deadline));
    return CheckOutcome::passed();
  }

  CheckOutcome attach(client::Deadline deadline) {
    VIBES_TRY_ASSIGN(socket, client::WebSocket::connect(stage_.target(), "/ws", deadline));
    socket_.emplace(std::move(socket));
    const json message = {{"type", "attach"},
                          {"session_id", session_},
                          {"name", "verification"},
                          {"cols", 80},
                          {"rows", 24}};
    VIBES_TRY(socket_->send(message.dump(), deadline));
    VIBES_TRY_ASSIGN(answer, await("attach_ack", deadline));
    return answer.value("session_id", "") == session_
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("another session was attached", session_, answer.dump());
  }

  /// The next message of this type about our session; an error about it ends the wait.
  Result<json> await(const std::string& type, client::Deadline deadline) {
    while (true) {
      VIBES_TRY_ASSIGN(text, socket_->receive(deadline));
      json message = json::parse(text, nullptr, false);
      const std::string seen = message.is_object() ? message.value("type", "") : "";
      if (seen == "pty_output" && message.value("session_id", "") == session_) {
        output_ += message.value("data", "");
      }
      if (seen == type) {
        return message;
      }
      if (seen == "error") {
        return fail(Errc::unexpected_answer,
                    fmt::format("instead of {}: {}", type, message.dump()));
      }
    }
  }

  Result<std::optional<Sighting>> find_in_log(const std::string& type, client::Deadline deadline) {
    VIBES_TRY_ASSIGN(
        page, get_json(stage_.target(), "/api/events?from=beginning&limit=1000&session=" + session_,
                       deadline));
    for (const json& entry : page.value("events", json::array())) {
      if (entry.value("/event/type"_json_pointer, "") == type) {
        return std::optional(Sighting{Offset(entry.value("offset", std::uint64_t{0})),
                                      entry.value("event_id", ""), entry.at("event")});
      }
    }
    return std::optional<Sighting>();
  }

  CheckOutcome look_in_log(client::Deadline deadline) {
    VIBES_TRY(wait_until("session_created in GET /api/events", deadline, [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(found, find_in_log("session_created", deadline));
      logged_ = found;
      return found.has_value();
    }));
    stage_.fact("offset", std::to_string(logged_->offset.value()));
    return logged_->event.value("name", "") == "verification"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("session_created has another name", "verification",
                                        logged_->event.dump());
  }

  CheckOutcome ask_consumer(client::Deadline deadline) {
    json consumer;
    const auto is_past = [&]() -> Result<bool> {
      VIBES_TRY_ASSIGN(answer, get_json(stage_.target(), "/api/consumers/websocket", deadline));
      consumer = answer;
      return answer.value("committed", std::uint64_t{0}) > logged_->offset.value();
    };
    if (auto waited = wait_until("the websocket consumer", deadline, is_past); !waited) {
      return CheckOutcome::mismatch(waited.error().message(),
                                    fmt::format("committed > {}", logged_->offset.value()),
                                    consumer.dump());
    }
    return CheckOutcome::passed();
  }

  [[nodiscard]] const Sighting* seen(const std::string& type) const {
    for (const Sighting& sighting : firehose_) {
      if (sighting.event.is_object() && sighting.event.value("type", "") == type) {
        return &sighting;
      }
    }
    return nullptr;
  }

  CheckOutcome see_at_firehose(const std::string& type, client::Deadline deadline) {
    while (seen(type) == nullptr) {
      VIBES_TRY(watcher_->take(deadline));
    }
    return CheckOutcome::passed();
  }

  CheckOutcome compare() const {
    const Sighting* at_firehose = seen("session_created");
    const bool is_same = at_firehose != nullptr && at_firehose->offset == logged_->offset &&
                         at_firehose->event_id == logged_->event_id &&
                         at_firehose->event == logged_->event;
    const auto describe = [](const Sighting& s) {
      return fmt::format("offset {}, event_id {}, {}", s.offset.value(), s.event_id,
                         s.event.dump());
    };
    return is_same ? CheckOutcome::passed()
                   : CheckOutcome::mismatch("the firehose differs from the log", describe(*logged_),
                                            describe(*at_firehose));
  }

  CheckOutcome count_once() const {
    std::size_t times = 0;
    for (const Sighting& sighting : firehose_) {
      times += sighting.event.value("type", "") == "session_created" ? 1U : 0U;
    }
    return times == 1 ? CheckOutcome::passed()
                      : CheckOutcome::mismatch("session_created was delivered more than once", "1",
                                               std::to_string(times));
  }

  /// What is typed comes back, at least as the terminal's echo.
  CheckOutcome use_terminal(client::Deadline deadline) {
    const json message = {
        {"type", "pty_input"}, {"session_id", session_}, {"data", "dmliZXMK"}};  // "vibes\n"
    VIBES_TRY(socket_->send(message.dump(), deadline));
    while (output_.empty()) {
      VIBES_TRY_ASSIGN(output, await("pty_output", deadline));
      (void)output;
    }
    return CheckOutcome::passed();
  }

  CheckOutcome kill(client::Deadline deadline) {
    VIBES_TRY(
        socket_->send(json{{"type", "kill_session"}, {"session_id", session_}}.dump(), deadline));
    VIBES_TRY_ASSIGN(removed, await("session_removed", deadline));
    return removed.value("reason", "") == "killed"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("removed for another reason", "killed", removed.dump());
  }

  CheckOutcome kill_again(client::Deadline deadline) {
    VIBES_TRY(
        socket_->send(json{{"type", "kill_session"}, {"session_id", session_}}.dump(), deadline));
    const auto answer = await("session_removed", deadline);
    if (answer || answer.error().context.find("session_not_found") == std::string::npos) {
      return CheckOutcome::mismatch("an unknown session was killed", "error session_not_found",
                                    answer ? answer->dump() : answer.error().message());
    }
    VIBES_TRY_ASSIGN(page, get_json(stage_.target(),
                                    "/api/events?from=beginning&limit=1000&types=session_removed&"
                                    "session=" +
                                        session_,
                                    deadline));
    const std::size_t times = page.value("events", json::array()).size();
    return times == 1 ? CheckOutcome::passed()
                      : CheckOutcome::mismatch("session_removed is not in the log once", "1",
                                               std::to_string(times));
  }

  Stage& stage_;
  Recorder recorder_;
  std::string session_;
  std::optional<Watcher> watcher_;
  std::optional<client::WebSocket> socket_;
  std::vector<Sighting> firehose_;
  std::optional<Sighting> logged_;
  std::string output_;
};

}  // namespace

Scenario create_session_scenario() {
  return {
      .name = "create-session",
      .summary = "a session's events go through the log and the consumer to the firehose",
      .needs = Needs::any_server,
      .checks = {"the server answers", "a firehose client is live", "a session is created over /ws",
                 "session_created is in the log", "the websocket consumer is past it",
                 "session_created is at the firehose", "the log and the firehose tell the same",
                 "the firehose got it once", "the session runs a program",
                 "kill_session removes it", "session_removed is at the firehose",
                 "killing it again is an error and no event"},
      .play = [](Stage& stage) { CreateSession(stage).play(); }};
}

}  // namespace vibes::verify
