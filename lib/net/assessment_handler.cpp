// SPDX-License-Identifier: MIT
#include "net/assessment_handler.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "consumers/sessions/assessment_export.hpp"

namespace vibes::net {
namespace {

constexpr std::size_t kPageSessionsDefault = 100;

std::optional<std::uint64_t> parse_number(const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

Response unreadable(const Error& error) {
  return error_response(500, "transcript_unreadable", error.message());
}

}  // namespace

Response list_assessed(const consumers::TranscriptStore& transcripts, const RequestHead& head) {
  const auto limit =
      parse_number(head.query.get("limit").value_or(std::to_string(kPageSessionsDefault)));
  if (!limit || *limit == 0 || *limit > limits::kAssessedPageSessions) {
    return error_response(
        400, "bad_query",
        fmt::format("limit is a number from 1 to {}", limits::kAssessedPageSessions));
  }
  std::optional<Offset> before;
  if (const auto text = head.query.get("before")) {
    const auto number = parse_number(*text);
    if (!number) {
      return error_response(400, "bad_query", "before is the number that the last page told");
    }
    before = Offset(*number);
  }
  const auto page = transcripts.assessed(before, static_cast<std::size_t>(*limit));
  return page ? Response{.body = consumers::assessed_page_json(*page)} : unreadable(page.error());
}

Response read_assessment(const consumers::TranscriptStore& transcripts, std::string_view session) {
  const auto found = transcripts.find(session, 0);
  if (!found) {
    return unreadable(found.error());
  }
  if (!found->has_value()) {
    return error_response(404, "not_found", "no event of that session has been read yet");
  }
  const consumers::TranscriptSnapshot& snapshot = **found;
  if (!snapshot.record.assessment) {
    return error_response(404, "not_found",
                          "that session was never assessed (vibes-server --assessment on does)");
  }
  return {.body = consumers::assessment_json(snapshot.record, snapshot.next)};
}

}  // namespace vibes::net
