// SPDX-License-Identifier: MIT
#include "tail_plan.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "cli/parse.hpp"
#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "cursor_file.hpp"

namespace vibes::ctl {
namespace {

constexpr std::chrono::milliseconds kAskWithin{10'000};

Unexpected invalid(std::string why) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(why));
}

Result<std::optional<std::uint64_t>> parse_lines(const std::string& text) {
  if (text == "all") {
    return std::optional<std::uint64_t>();
  }
  std::uint64_t lines = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return invalid("-n '" + text + "' is neither a number nor 'all'");
  }
  return std::optional<std::uint64_t>(lines);
}

/// Where the log ends now, to start from if nothing before it matches.
Result<std::string> current_end(const client::Target& target) {
  client::HttpRequest request;
  request.path = "/api/health";
  VIBES_TRY_ASSIGN(answer, client::HttpClient(target).send(request, client::within(kAskWithin)));
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("log") || !json["log"].contains("end") ||
      !json["log"]["end"].is_number_unsigned()) {
    return answer.is_success() ? fail(make_error_code(client::Errc::bad_answer), "/api/health")
                               : fail(client::http_error(answer));
  }
  return std::to_string(json["log"]["end"].get<std::uint64_t>());
}

std::string older_request(std::uint64_t limit, const std::string& before) {
  nlohmann::json request{{"type", "fetch_older"}, {"limit", limit}};
  if (!before.empty()) {
    request["before_event_id"] = before;
  }
  return request.dump();
}

/// The offset of the `lines`-th newest event that matches: a position counts every event, so with a
/// filter the server is asked for a page of matching ones.
Result<std::string> newest_matching(const client::Target& target,
                                    const client::TailOptions& options, std::uint64_t lines) {
  VIBES_TRY_ASSIGN(start, current_end(target));
  const client::Deadline deadline = client::within(kAskWithin);
  std::string path = "/ws/firehose?types=" + client::percent_encode(options.types);
  if (options.session) {
    path += "&session=" + client::percent_encode(*options.session);
    path += options.tree ? "&tree=1" : "";
  }
  VIBES_TRY_ASSIGN(socket, client::WebSocket::connect(target, path, deadline));
  std::string before;
  while (lines > 0) {
    const auto limit = std::min<std::uint64_t>(lines, limits::kPageEventsMax);
    VIBES_TRY(socket.send(older_request(limit, before), deadline));
    nlohmann::json page;
    while (!page.is_object() || page.value("type", "") != "events_batch") {
      VIBES_TRY_ASSIGN(text, socket.receive(deadline));
      page = nlohmann::json::parse(text, nullptr, false);
    }
    const auto events = page.find("events");
    if (events == page.end() || !events->is_array() || events->empty()) {
      break;
    }
    const auto& oldest = events->front();
    start = std::to_string(oldest.value("offset", std::uint64_t{0}));
    before = oldest.value("event_id", "");
    lines -= std::min<std::uint64_t>(lines, events->size());
    if (!page.value("has_more", false)) {
      break;
    }
  }
  return start;
}

Result<std::string> start_of_lines(const client::Target& target, const client::TailOptions& client,
                                   const TailOptions& options) {
  if (!options.lines && options.until_end) {
    return std::string("beginning");
  }
  VIBES_TRY_ASSIGN(lines, parse_lines(options.lines.value_or("10")));
  if (!lines) {
    return std::string("beginning");
  }
  if (*lines == 0) {
    return std::string("end");
  }
  if (client.types.empty() && !client.session) {
    return "-" + std::to_string(*lines);
  }
  return newest_matching(target, client, *lines);
}

Result<std::string> start_of(const client::Target& target, const client::TailOptions& client,
                             const TailOptions& options) {
  if (options.cursor_file) {
    VIBES_TRY_ASSIGN(cursor, CursorFile(*options.cursor_file).load());
    if (cursor) {
      return *std::move(cursor);
    }
  }
  if (options.from) {
    return *options.from;
  }
  if (options.since) {
    VIBES_TRY_ASSIGN(time, cli::parse_time(*options.since, system_clock().now()));
    return format_rfc3339(time);
  }
  if (options.group) {
    return std::string("beginning");
  }
  return start_of_lines(target, client, options);
}

Result<std::string> end_of(const TailOptions& options) {
  if (options.until_end) {
    return std::string("end");
  }
  if (!options.until) {
    return std::string();
  }
  const std::string& until = *options.until;
  if (until == "end" || until.find_first_not_of("0123456789") == std::string::npos) {
    return until;
  }
  VIBES_TRY_ASSIGN(time, cli::parse_time(until, system_clock().now()));
  return format_rfc3339(time);
}

Result<std::optional<std::chrono::milliseconds>> duration_of(
    const std::optional<std::string>& text) {
  if (!text) {
    return std::optional<std::chrono::milliseconds>();
  }
  VIBES_TRY_ASSIGN(duration, cli::parse_duration(*text));
  return std::optional(duration);
}

}  // namespace

Result<TailPlan> plan_tail(const Session& session, const TailOptions& options) {
  TailPlan plan;
  plan.count = options.count;
  VIBES_TRY_ASSIGN(timeout, duration_of(options.timeout));
  VIBES_TRY_ASSIGN(idle, duration_of(options.idle));
  VIBES_TRY_ASSIGN(until, end_of(options));
  plan.timeout = timeout;
  plan.idle = idle;
  plan.stop_at_end = options.group && until == "end";
  if (!plan.stop_at_end) {
    plan.client.until = std::move(until);
  }
  for (const std::string& type : options.types) {
    plan.client.types += (plan.client.types.empty() ? "" : ",") + type;
  }
  plan.client.session = options.session;
  plan.client.tree = options.tree;
  plan.client.group = options.group.value_or("");
  VIBES_TRY_ASSIGN(target, find_target(session));
  plan.target = std::move(target);
  VIBES_TRY_ASSIGN(from, start_of(plan.target, plan.client, options));
  plan.client.from = std::move(from);
  return plan;
}

}  // namespace vibes::ctl
