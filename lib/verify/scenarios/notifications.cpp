// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/limits.hpp"
#include "verify/errc.hpp"
#include "verify/http_sink.hpp"
#include "verify/scenarios/scenarios.hpp"
#include "verify/scenarios/tools.hpp"

namespace vibes::verify {
namespace {

using client::Deadline;
using nlohmann::json;

constexpr std::string_view kTopic = "vibes-verify";
constexpr const char* kLastTool = "LastTool";
constexpr std::chrono::seconds kStartWithin{30};
constexpr std::size_t kPageMax = 1'000;  // of GET /api/events

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  (void)::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
               &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += fmt::format("{:02x}", digest.at(i));
  }
  return hex;
}

/// What people are told about an event of a session, in the words of docs/notifications.md.
struct Told {
  std::string trigger;
  std::string title;
  std::string body;
  std::string tag;  // before "-SESSION"
  std::string event_type;
  int priority = 3;  // with ntfy
};

/// What a webhook gets for an event, given as the log has it.
json webhook_json(const json& entry, const Told& told) {
  const std::string session = entry.at("event").value("session_id", "");
  return {{"title", told.title},
          {"body", told.body},
          {"tag", told.tag + "-" + session},
          {"url", "/session/" + session},
          {"session_id", session},
          {"event_type", told.event_type},
          {"trigger", told.trigger},
          {"event_id", entry.at("event_id")},
          {"offset", entry.at("offset")},
          {"time", entry.at("time")}};
}

json ntfy_json(const Told& told) {
  return {{"topic", kTopic},
          {"title", told.title},
          {"message", told.body},
          {"tags", json::array({told.event_type})},
          {"priority", told.priority}};
}

json permission(const std::string& session, const std::string& tool = "Bash") {
  return {{"type", "claude"},
          {"session_id", session},
          {"event",
           {{"type", "permission_request"}, {"id", "1"}, {"tool", tool}, {"description", "d"}}}};
}

const Told kPermission = {
    "permission_request", "Claude needs approval", "Permission requested for Bash",
    "permission",         "permission_needed",     4};
const Told kCompleted = {"completed", "Session completed", "Claude finished the task", "completed",
                         "session_completed"};
const Told kError = {"error", "Session failed", "out of tokens", "error", "session_error", 4};

/// A request to the webhook.
struct Request {
  SinkRequest raw;
  json message;
  [[nodiscard]] std::string event_id() const { return message.value("event_id", ""); }
};

/// A server that tells people of its events, and the endpoints to which it does.
class Notifications {
 public:
  explicit Notifications(Stage& stage)
      : stage_(stage),
        session_(stage.tag()),
        secret_(fmt::format("{:016x}{:016x}", stage.random()(), stage.random()())) {}

  void play() {
    const bool told =
        stage_.step("a server with a webhook, ntfy and a command starts",
                    [&](Deadline d) { return start(d); }) &&
        stage_.step("a permission request, an end and an error are appended",
                    [&](Deadline d) { return append(d); }) &&
        stage_.step("the webhook is told", [&](Deadline d) { return take_from_webhook(d); });
    stage_.claim("of each once, with the documented JSON", [&](Deadline) { return compare(); });
    stage_.claim("of one tag once in 30 seconds", [&](Deadline d) { return look_for_repeat(d); });
    stage_.claim("each is signed with the HMAC-SHA256 of its body",
                 [&](Deadline) { return check_signatures(); });
    stage_.claim("ntfy is told of each once, in its own format",
                 [&](Deadline d) { return take_from_ntfy(d); });
    stage_.claim("the command is run once for each, with the event",
                 [&](Deadline d) { return look_at_command(d); });
    told&& stage_.step("an endpoint that hangs holds back no other",
                       [&](Deadline d) { return hang(d); }) &&
        stage_.step("what a kill -9 left undelivered is delivered after it",
                    [&](Deadline d) { return kill(d); });
    stage_.claim("a browser's push service must have https or be on this machine",
                 [&](Deadline d) { return subscribe(d); });
  }

 private:
  CheckOutcome start(Deadline /*deadline*/) {
    VIBES_TRY_ASSIGN(webhook, HttpSink::start());
    VIBES_TRY_ASSIGN(ntfy, HttpSink::start());
    VIBES_TRY_ASSIGN(directory, stage_.directory());
    webhook_ = std::move(webhook);
    ntfy_ = std::move(ntfy);
    told_file_ = directory / "told";
    std::ofstream(directory / "secret") << secret_ << '\n';
    const std::string command = fmt::format(
        R"({{ printf '%s %s %s ' "$VIBES_TRIGGER" "$VIBES_EVENT_ID" "$VIBES_TAG"; cat; echo; }} >>'{}')",
        told_file_.string());
    VIBES_TRY(stage_.open({"--notify-webhook", webhook_->url() + "/hook",
                           "--notify-webhook-secret-file", directory / "secret", "--notify-ntfy",
                           fmt::format("{}/{}", ntfy_->url(), kTopic), "--notify-command", command,
                           "--push", "on"}));
    return CheckOutcome::passed();
  }

  /// Appends a batch; returns it as the log has it, or its first kPageMax.
  Result<std::vector<json>> append_all(const std::vector<json>& events, Deadline deadline) {
    std::string lines;
    for (const json& event : events) {
      lines += event.dump() + '\n';
    }
    VIBES_TRY_ASSIGN(answer, post_events(stage_.target(), lines, "application/x-ndjson", deadline));
    if (!answer.is_success()) {
      return fail(Errc::unexpected_answer, excerpt(answer.body));
    }
    const std::size_t shown = std::min(events.size(), kPageMax);
    const json receipt = json::parse(answer.body, nullptr, false);
    const std::string path = fmt::format(
        "/api/events?from={}&limit={}",
        receipt.is_object() ? receipt.value("first_offset", std::uint64_t{0}) : 0, shown);
    VIBES_TRY_ASSIGN(page, get_json(stage_.target(), path, deadline));
    std::vector<json> entries = page.value("events", json::array());
    if (entries.size() != shown) {
      return fail(Errc::unexpected_answer, "GET /api/events: " + excerpt(page.dump()));
    }
    return entries;
  }

  CheckOutcome append(Deadline deadline) {
    VIBES_TRY_ASSIGN(
        entries,
        append_all({permission(session_), permission(session_),
                    json{{"type", "session_state_changed"},
                         {"session_id", session_},
                         {"state", "Completed"}},
                    json{{"type", "claude"},
                         {"session_id", session_},
                         {"event",
                          {{"type", "error"}, {"message", kError.body}, {"recoverable", false}}}}},
                   deadline));
    told_ = {{entries[0], kPermission}, {entries[2], kCompleted}, {entries[3], kError}};
    repeat_ = entries[1];
    return CheckOutcome::passed();
  }

  /// Everything that comes to the webhook about sessions of ours, up to this event.
  Result<void> take_to(const std::string& event_id, Deadline deadline) {
    while (requests_.empty() || requests_.back().event_id() != event_id) {
      VIBES_TRY_ASSIGN(raw, webhook_->next(deadline));
      json message = json::parse(raw.body, nullptr, false);
      if (!message.is_object()) {
        return fail(Errc::unexpected_answer, "the webhook got " + excerpt(raw.body));
      }
      if (message.value("session_id", "").starts_with(session_)) {
        requests_.push_back({std::move(raw), std::move(message)});
      }
    }
    return {};
  }

  [[nodiscard]] std::ptrdiff_t times_told(const std::string& event_id) const {
    return std::ranges::count(requests_, event_id, &Request::event_id);
  }

  /// In the order of the log: with the last event's all are there.
  CheckOutcome take_from_webhook(Deadline deadline) {
    VIBES_TRY(take_to(told_.back().first.value("event_id", ""), deadline));
    return CheckOutcome::passed();
  }

  CheckOutcome compare() const {
    for (const auto& [entry, told] : told_) {
      const json expected = webhook_json(entry, told);
      const std::string id = expected.value("event_id", "");
      const auto found = std::ranges::find(requests_, id, &Request::event_id);
      const bool is_once = times_told(id) == 1 && found->message == expected;
      const bool is_json =
          is_once && found->raw.path == "/hook" &&
          found->raw.header("content-type") == std::string_view("application/json");
      if (!is_json) {
        return CheckOutcome::mismatch(
            "the webhook was told something else of " + told.trigger,
            "once, at /hook: " + expected.dump(),
            fmt::format("{} times{}", times_told(id),
                        found == requests_.end() ? "" : ": " + found->message.dump()));
      }
    }
    return CheckOutcome::passed();
  }

  CheckOutcome look_for_repeat(Deadline deadline) {
    const std::string metric = R"(vibes_notifications_total{result="repeated"} )";
    client::HttpClient http(stage_.target());
    VIBES_TRY_ASSIGN(
        answer,
        http.send_ok({.method = "GET", .path = "/metrics", .headers = {}, .body = ""}, deadline));
    const std::size_t at = answer.body.find(metric);
    const std::string counted =
        at == std::string::npos
            ? "nothing"
            : answer.body.substr(at + metric.size(),
                                 answer.body.find('\n', at) - at - metric.size());
    const auto sent = times_told(repeat_.value("event_id", ""));
    return sent == 0 && counted == "1"
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("a second permission request of the same session",
                                        "not sent, counted as repeated once",
                                        fmt::format("sent {} times, counted {}", sent, counted));
  }

  CheckOutcome check_signatures() const {
    for (const Request& request : requests_) {
      const std::string expected = "sha256=" + hmac_sha256_hex(secret_, request.raw.body);
      const auto seen = request.raw.header("x-vibes-signature");
      if (seen != std::string_view(expected)) {
        return CheckOutcome::mismatch("X-Vibes-Signature of " + excerpt(request.raw.body), expected,
                                      std::string(seen.value_or("no such header")));
      }
    }
    return CheckOutcome::passed();
  }

  CheckOutcome take_from_ntfy(Deadline deadline) {
    for (const auto& [entry, told] : told_) {
      VIBES_TRY_ASSIGN(request, ntfy_->next(deadline));
      const json expected = ntfy_json(told);
      if (request.path != "/" || json::parse(request.body, nullptr, false) != expected) {
        return CheckOutcome::mismatch("ntfy was told something else of " + told.trigger,
                                      "at /: " + expected.dump(),
                                      "at " + request.path + ": " + excerpt(request.body));
      }
    }
    return CheckOutcome::passed();
  }

  /// One line for each run.
  [[nodiscard]] std::vector<std::string> command_lines() const {
    std::ifstream file(told_file_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line) && !file.eof();) {
      if (line.find(session_) != std::string::npos) {
        lines.push_back(line);
      }
    }
    return lines;
  }

  CheckOutcome look_at_command(Deadline deadline) {
    VIBES_TRY(wait_until("the command to be run", deadline,
                         [&]() -> Result<bool> { return command_lines().size() >= told_.size(); }));
    std::vector<std::string> expected;
    expected.reserve(told_.size());
    for (const auto& [entry, told] : told_) {
      expected.push_back(fmt::format("{} {} {}-{} {}", told.trigger, entry.value("event_id", ""),
                                     told.tag, session_, entry.at("event").dump()));
    }
    const auto seen = command_lines();
    return seen == expected ? CheckOutcome::passed()
                            : CheckOutcome::mismatch("the command wrote something else",
                                                     fmt::format("{}", fmt::join(expected, "\n")),
                                                     fmt::format("{}", fmt::join(seen, "\n")));
  }

  /// ntfy takes the first one and says nothing: the webhook is told of all, and nothing counts as
  /// done.
  CheckOutcome hang(Deadline deadline) {
    ntfy_->hang();
    const std::string session = session_ + "-hung-";
    VIBES_TRY_ASSIGN(entries, append_all({permission(session + "1"), permission(session + "2"),
                                          permission(session + "3")},
                                         deadline));
    VIBES_TRY_ASSIGN(hung, ntfy_->next(deadline));
    VIBES_TRY(take_to(entries.back().value("event_id", ""), deadline));
    VIBES_TRY_ASSIGN(group, get_json(stage_.target(), "/api/consumers/notifications", deadline));
    ntfy_->answer();
    for (const Request& request : requests_) {
      if (times_told(request.event_id()) != 1) {
        return CheckOutcome::mismatch("the webhook was told of an event more than once", "once",
                                      request.raw.body);
      }
    }
    const std::size_t told = requests_.size() - told_.size();
    const std::uint64_t first = entries.front().value("offset", std::uint64_t{0});
    const std::uint64_t committed = group.value("committed", std::uint64_t{0});
    return told == entries.size() && committed <= first
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch(
                     "an endpoint hung",
                     fmt::format("3 told by the other, at most {} committed", first),
                     fmt::format("{} told, {} committed", told, committed));
  }

  /// One that hangs at the webhook, so many events that the group's commit is due, and another, by
  /// which the other channels show that the group has come so far.
  [[nodiscard]] std::vector<json> around_a_commit() const {
    const std::string session = session_ + "-killed";
    std::vector<json> events = {permission(session)};
    events.insert(events.end(), limits::kCommitEveryEvents,
                  json{{"type", "note"}, {"session_id", session}});
    events.push_back(permission(session + "-too", kLastTool));
    return events;
  }

  /// Until ntfy has taken what is told of the last tool, and the command is done with it: while the
  /// server makes a process, that has the log's lock, too.
  Result<void> let_others_take(Deadline deadline) {
    std::string told;
    while (told.find(kLastTool) == std::string::npos) {
      VIBES_TRY_ASSIGN(request, ntfy_->next(deadline));
      told = std::move(request.body);
    }
    return wait_until("the command to be run", deadline, [&]() -> Result<bool> {
      const auto lines = command_lines();
      return !lines.empty() && lines.back().find(kLastTool) != std::string::npos;
    });
  }

  /// The webhook hangs, so that the server is killed between the append and the delivery.
  CheckOutcome kill(Deadline deadline) {
    webhook_->hang();
    VIBES_TRY_ASSIGN(entries, append_all(around_a_commit(), deadline));
    const std::string event_id = entries.front().value("event_id", "");
    VIBES_TRY(take_to(event_id, deadline));
    VIBES_TRY(let_others_take(deadline));
    VIBES_TRY(stage_.own_server().kill());
    requests_.clear();
    webhook_->answer();
    VIBES_TRY(stage_.own_server().start_again(client::within(kStartWithin)));
    if (const auto taken = take_to(event_id, deadline); !taken) {
      return CheckOutcome::mismatch("it was not sent again: " + taken.error().message(), event_id,
                                    fmt::format("{} others", requests_.size()));
    }
    return check_signatures();
  }

  Result<client::HttpResponse> subscribe_to(const std::string& endpoint, Deadline deadline) {
    // The keys of RFC 8291, appendix A: only the URL is wrong.
    const json subscription = {{"endpoint", endpoint},
                               {"keys",
                                {{"p256dh",
                                  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-"
                                  "AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"},
                                 {"auth", "BTBZMqHH6r4Tts7J_aSIgg"}}}};
    client::HttpClient http(stage_.target());
    return http.send({.method = "POST",
                      .path = "/api/push/subscribe",
                      .headers = {{"Content-Type", "application/json"}},
                      .body = subscription.dump()},
                     deadline);
  }

  CheckOutcome subscribe(Deadline deadline) {
    for (const char* endpoint : {"http://push.example/send", "http://127.0.0.1.example/send",
                                 "ftp://127.0.0.1/send", "file:///dev/null"}) {
      VIBES_TRY_ASSIGN(answer, subscribe_to(endpoint, deadline));
      if (answer.status != 400) {
        return CheckOutcome::mismatch(endpoint, "400",
                                      fmt::format("{} {}", answer.status, excerpt(answer.body)));
      }
    }
    VIBES_TRY_ASSIGN(answer, subscribe_to(ntfy_->url() + "/push", deadline));
    return answer.status == 201
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch("one on this machine", "201",
                                        fmt::format("{} {}", answer.status, excerpt(answer.body)));
  }

  Stage& stage_;
  std::string session_;
  std::string secret_;
  std::unique_ptr<HttpSink> webhook_;
  std::unique_ptr<HttpSink> ntfy_;
  std::filesystem::path told_file_;          // what the command writes
  std::vector<std::pair<json, Told>> told_;  // what is to be told, as the log has it
  json repeat_;                              // what is not
  std::vector<Request> requests_;            // to the webhook, in their order
};

}  // namespace

Scenario notifications_scenario() {
  return {
      .name = "notifications",
      .summary = "people are told once of what needs them, also across a kill -9",
      .needs = Needs::durable_log,
      .checks = {"a server with a webhook, ntfy and a command starts",
                 "a permission request, an end and an error are appended", "the webhook is told",
                 "of each once, with the documented JSON", "of one tag once in 30 seconds",
                 "each is signed with the HMAC-SHA256 of its body",
                 "ntfy is told of each once, in its own format",
                 "the command is run once for each, with the event",
                 "an endpoint that hangs holds back no other",
                 "what a kill -9 left undelivered is delivered after it",
                 "a browser's push service must have https or be on this machine"},
      .play = [](Stage& stage) { Notifications(stage).play(); }};
}

}  // namespace vibes::verify
