// SPDX-License-Identifier: MIT
#include "net/transcript_handler.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include "base/limits.hpp"
#include "consumers/sessions/transcript_export.hpp"

namespace vibes::net {
namespace {

using consumers::TranscriptFormat;

std::optional<TranscriptFormat> wanted_format(const RequestHead& head) {
  if (const auto named = head.query.get("format")) {
    return consumers::parse_transcript_format(*named);
  }
  if (head.accept.find("text/markdown") != std::string::npos) {
    return TranscriptFormat::markdown;
  }
  return head.accept.find("application/x-ndjson") != std::string::npos ? TranscriptFormat::jsonl
                                                                       : TranscriptFormat::json;
}

std::string content_type_of(TranscriptFormat format) {
  switch (format) {
    case TranscriptFormat::record:
    case TranscriptFormat::json:
      return "application/json";
    case TranscriptFormat::jsonl:
      return "application/x-ndjson";
    case TranscriptFormat::markdown:
      return "text/markdown; charset=utf-8";
  }
  return {};
}

// Half of what a client takes: texts that are not complete yet come on top.
constexpr std::size_t kEntriesBytesMax = limits::kTranscriptAnswerBytesMax / 2;

}  // namespace

Response read_transcript(const consumers::TranscriptStore& transcripts, std::string_view session,
                         const RequestHead& head) {
  const auto format = wanted_format(head);
  if (!format) {
    return error_response(400, "bad_query", "format is record, json, jsonl or markdown");
  }
  const bool entries = *format != TranscriptFormat::record;
  const auto found = transcripts.find(session, entries ? kEntriesBytesMax : 0);
  if (!found) {
    return error_response(500, "transcript_unreadable", found.error().message());
  }
  if (!found->has_value()) {
    return error_response(404, "not_found", "no event of that session has been read yet");
  }
  Response response;
  response.body = consumers::export_transcript(**found, *format);
  response.content_type = content_type_of(*format);
  response.headers.emplace_back("Vibes-Next-Offset", std::to_string((*found)->next.value()));
  if (entries && (*found)->omitted_bytes > 0) {
    response.headers.emplace_back("Vibes-Omitted-Bytes", std::to_string((*found)->omitted_bytes));
  }
  return response;
}

}  // namespace vibes::net
