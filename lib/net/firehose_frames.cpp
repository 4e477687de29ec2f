// SPDX-License-Identifier: MIT
#include "net/firehose_frames.hpp"

#include <fmt/format.h>

#include "event/codec.hpp"

namespace vibes::net {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  event::append_json_string(out, text);
  return out;
}

}  // namespace

std::string hello_text(const HelloFacts& facts) {
  return fmt::format(
      R"({{"type":"hello","log_id":"{}","first":{},"end":{},"cursor":"{}","server":{}}})",
      to_string(facts.cursor.log_id), facts.first.value(), facts.end.value(),
      to_string(facts.cursor), quoted(facts.server));
}

std::string position_text(const event::Cursor& cursor, Offset end, Reached reached) {
  return fmt::format(R"({{"type":"position","cursor":"{}","offset":{},"end":{},"caught_up":{}}})",
                     to_string(cursor), cursor.next.value(), end.value(),
                     cursor.next >= end && reached == Reached::position);
}

// `to` is the last offset that is missing, as a person would say it.
std::string gap_text(const eventlog::Gap& gap) {
  return fmt::format(R"({{"type":"gap","from":{},"to":{},"reason":"retention"}})", gap.from.value(),
                     gap.to.value() - 1);
}

std::string end_text() { return R"({"type":"end"})"; }

std::string committed_text(std::string_view group, Offset next) {
  return fmt::format(R"({{"type":"committed","group":{},"offset":{}}})", quoted(group),
                     next.value());
}

std::string assigned_text(std::size_t slots, std::size_t members, Offset from) {
  return fmt::format(R"({{"type":"assigned","slots":{},"members":{},"from":{}}})", slots, members,
                     from.value());
}

std::string error_text(std::string_view code, std::string_view message) {
  return fmt::format(R"({{"type":"error","code":{},"message":{}}})", quoted(code), quoted(message));
}

}  // namespace vibes::net
