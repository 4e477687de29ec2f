// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "event/filter.hpp"
#include "eventlog/event_log.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// What GET /api/events asks for, checked: a page or a stream.
struct ReadQuery {
  event::Filter filter;
  event::Reach reach = event::Reach::session;
  Offset from;
  std::optional<Offset> until;
  std::size_t limit = 0;  // of a page
};

/// `default_from` is where to start without `from`. Errors: std::errc::invalid_argument for a query
/// that cannot be understood, event::Errc::cursor_mismatch, those of the log.
Result<ReadQuery> parse_read_query(const RequestHead& head, std::string_view default_from,
                                   eventlog::EventLog& log);

/// Such an error, or one met while reading, as an answer.
Response read_error(const Error& error);

}  // namespace vibes::net
