// SPDX-License-Identifier: MIT
#include "net/read_query.hpp"

#include <charconv>

#include "base/limits.hpp"
#include "event/errc.hpp"
#include "net/firehose_query.hpp"

namespace vibes::net {

namespace {

Result<std::size_t> parse_limit(const std::optional<std::string>& text) {
  if (!text) {
    return limits::kPageEventsDefault;
  }
  std::size_t limit = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, limit);
  if (parsed.ec != std::errc() || parsed.ptr != end || limit == 0 ||
      limit > limits::kPageEventsMax) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "limit is a number from 1 to " + std::to_string(limits::kPageEventsMax));
  }
  return limit;
}

}  // namespace

Result<ReadQuery> parse_read_query(const RequestHead& head, std::string_view default_from,
                                   eventlog::EventLog& log) {
  ReadQuery query;
  auto filter =
      event::Filter::parse(head.query.get("types").value_or(""), head.query.get("session"));
  if (!filter) {
    return fail(std::make_error_code(std::errc::invalid_argument), filter.error().message());
  }
  query.filter = *std::move(filter);
  VIBES_TRY_ASSIGN(reach, parse_reach(head.query));
  query.reach = reach;
  VIBES_TRY_ASSIGN(limit, parse_limit(head.query.get("limit")));
  query.limit = limit;
  const std::string from = !head.last_event_id.empty()
                               ? head.last_event_id
                               : head.query.get("from").value_or(std::string(default_from));
  VIBES_TRY_ASSIGN(start, resolve_position(from, log));
  query.from = start;
  if (const auto until = head.query.get("until")) {
    VIBES_TRY_ASSIGN(stop, resolve_position(*until, log));
    query.until = stop;
  }
  return query;
}

Response read_error(const Error& error) {
  if (error.code == event::Errc::cursor_mismatch) {
    return error_response(409, "cursor_mismatch", error.message());
  }
  if (error.code == std::errc::invalid_argument || error.code == eventlog::Errc::out_of_range ||
      error.code == event::Errc::bad_cursor) {
    return error_response(400, "bad_query", error.context);
  }
  return error_response(503, "log_unavailable", error.message());
}

}  // namespace vibes::net
