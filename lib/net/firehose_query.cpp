// SPDX-License-Identifier: MIT
#include "net/firehose_query.hpp"

#include <charconv>
#include <utility>

#include "event/cursor.hpp"
#include "event/errc.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::net {
namespace {

constexpr std::string_view kPositions =
    "beginning, end, an offset, -N for the last N, a time (RFC 3339) or a cursor";

Unexpected bad(std::string what) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(what));
}

/// A refusal by a lower layer that is the client's own doing.
Unexpected bad(const char* parameter, const Error& error) {
  return bad(std::string(parameter) + ": " + error.message());
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

Result<Offset> resume_at(std::string_view text, eventlog::EventLog& log) {
  auto cursor = event::parse_cursor(text);
  if (!cursor) {
    return bad("from", cursor.error());
  }
  return log.resume(*cursor);
}

Result<Offset> resolve(eventlog::EventLog& log, const eventlog::Position& position) {
  auto offset = log.resolve(position);
  if (!offset && offset.error().code == eventlog::Errc::out_of_range) {
    return bad("position", offset.error());
  }
  return offset;
}

Result<void> parse_until(std::string_view text, eventlog::EventLog& log, const Clock& clock,
                         FirehoseQuery& parsed) {
  if (text == "end") {
    parsed.until = log.end();
  } else if (const auto offset = parse_number(text)) {
    parsed.until = Offset(*offset);
  } else if (const auto time = parse_rfc3339(text)) {
    if (*time > clock.now()) {
      parsed.until_time = time;
    } else {
      VIBES_TRY_ASSIGN(until, log.resolve(eventlog::AtTime{*time}));
      parsed.until = until;
    }
  } else {
    return bad("until takes end, an offset or a time (RFC 3339), not \"" + std::string(text) +
               "\"");
  }
  return {};
}

Result<void> parse_shape(std::string_view text, FirehoseQuery& parsed) {
  if (text != "0" && text != "1") {
    return bad("batch takes 0 or 1, not \"" + std::string(text) + "\"");
  }
  parsed.shape = text == "1" ? consumers::Broadcaster::Shape::envelopes
                             : consumers::Broadcaster::Shape::frames;
  return {};
}

Result<void> parse_heartbeat(std::string_view text, FirehoseQuery& parsed) {
  const auto seconds = parse_number(text);
  const auto max = static_cast<std::uint64_t>(limits::kHeartbeatMax.count());
  if (!seconds || *seconds == 0 || *seconds > max) {
    return bad("heartbeat takes 1 to " + std::to_string(max) + " seconds, not \"" +
               std::string(text) + "\"");
  }
  parsed.heartbeat = std::chrono::seconds(*seconds);
  return {};
}

Result<void> parse_group(std::string name, const std::optional<std::string>& from,
                         FirehoseQuery& parsed) {
  if (!eventlog::is_group_name(name)) {
    return bad("group: a name has 1 to " + std::to_string(limits::kGroupNameBytesMax) +
               " of the characters a-z 0-9 . _ -");
  }
  if (from && *from != "beginning" && *from != "end") {
    return bad("from takes beginning or end where a group is given");
  }
  parsed.group = std::move(name);
  parsed.first_start =
      from == "beginning" ? consumers::FirstStart::beginning : consumers::FirstStart::end;
  return {};
}

Result<void> parse_filter(const Query& query, FirehoseQuery& parsed) {
  auto filter = event::Filter::parse(query.get("types").value_or(""), query.get("session"));
  if (!filter) {
    return bad("types", filter.error());
  }
  parsed.filter = *std::move(filter);
  VIBES_TRY_ASSIGN(reach, parse_reach(query));
  parsed.reach = reach;
  return {};
}

}  // namespace

Result<event::Reach> parse_reach(const Query& query) {
  const std::string tree = query.get("tree").value_or("0");
  if (tree != "0" && tree != "1") {
    return bad("tree takes 0 or 1, not \"" + tree + "\"");
  }
  return tree == "1" ? event::Reach::tree : event::Reach::session;
}

Result<Offset> resolve_position(std::string_view text, eventlog::EventLog& log) {
  if (text == "beginning") {
    return resolve(log, eventlog::Beginning{});
  }
  if (text == "end") {
    return resolve(log, eventlog::End{});
  }
  if (text.starts_with("v1.")) {
    return resume_at(text, log);
  }
  if (const auto offset = parse_number(text)) {
    return resolve(log, Offset(*offset));
  }
  if (text.starts_with('-')) {
    if (const auto count = parse_number(text.substr(1))) {
      return resolve(log, eventlog::FromEnd{*count});
    }
  }
  if (const auto time = parse_rfc3339(text)) {
    return resolve(log, eventlog::AtTime{*time});
  }
  return bad("from takes " + std::string(kPositions) + ", not \"" + std::string(text) + "\"");
}

Result<FirehoseQuery> parse_firehose_query(const Query& query, eventlog::EventLog& log,
                                           const Clock& clock) {
  FirehoseQuery parsed;
  VIBES_TRY(parse_filter(query, parsed));
  const auto from = query.get("from");
  if (auto group = query.get("group")) {
    VIBES_TRY(parse_group(*std::move(group), from, parsed));
  }
  const auto until = query.get("until");
  parsed.extended = from || until || !parsed.group.empty();
  if (until) {
    VIBES_TRY(parse_until(*until, log, clock, parsed));
  }
  if (const auto batch = query.get("batch")) {
    VIBES_TRY(parse_shape(*batch, parsed));
  }
  if (const auto heartbeat = query.get("heartbeat")) {
    VIBES_TRY(parse_heartbeat(*heartbeat, parsed));
  }
  VIBES_TRY_ASSIGN(start, resolve_position(from.value_or("end"), log));
  parsed.start = start;
  return parsed;
}

}  // namespace vibes::net
