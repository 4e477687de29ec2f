// SPDX-License-Identifier: MIT
#include "hooks/import.hpp"

#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"
#include "event/elements.hpp"
#include "event/json_verdict.hpp"

namespace vibes::hooks {
namespace {

/// Empty: not there, or no string.
std::string text_member(std::string_view object, std::string_view key) {
  const auto raw = event::raw_member(object, key);
  if (!raw || !raw->starts_with('"')) {
    return {};
  }
  return nlohmann::json::parse(*raw).get<std::string>();
}

std::string json_string(std::string_view text) {
  std::string out;
  event::append_json_string(out, text);
  return out;
}

/// Every line of a transcript names its session; those that do not belong to one point into it.
bool is_transcript(std::string_view object) {
  return event::raw_member(object, "sessionId") || event::raw_member(object, "leafUuid") ||
         text_member(object, "type") == "file-history-snapshot";
}

bool is_envelope(std::string_view object) {
  return event::raw_member(object, "offset") && event::raw_member(object, "event_id") &&
         event::raw_member(object, "event").value_or("").starts_with('{');
}

std::string transcript_entry(std::string_view object) {
  const std::string session = text_member(object, "sessionId");
  const bool usable = !session.empty() && session.size() <= limits::kSessionBytesMax;
  const std::string time = text_member(object, "timestamp");
  std::string text = R"({"type":"transcript_entry","session_id":)";
  text += usable ? json_string(session) : "null";
  if (parse_rfc3339(time)) {
    text += R"(,"time":)" + json_string(time);
  }
  text += R"(,"imported":{"from":"claude-code"},"entry":)";
  event::append_payload(text, object);
  return text + '}';
}

/// `object` with one more member at its end, unless it has been imported before.
std::string with_provenance(std::string_view object, const std::string& provenance) {
  std::string text;
  event::append_payload(text, object);
  if (event::raw_member(object, "imported")) {
    return text;
  }
  const bool has_members = event::Elements(object).next().has_value();
  text.pop_back();
  return text + (has_members ? "," : "") + R"("imported":)" + provenance + '}';
}

std::string opened_envelope(std::string_view object) {
  return with_provenance(*event::raw_member(object, "event"),
                         fmt::format(R"({{"from":"vibes","event_id":{},"time":{}}})",
                                     json_string(text_member(object, "event_id")),
                                     json_string(text_member(object, "time"))));
}

}  // namespace

Result<event::NewEvent> import_line(std::string_view line) {
  const std::string_view object = event::trim(line);
  VIBES_TRY(event::judge_json(object));
  const std::string text = is_transcript(object) ? transcript_entry(object)
                           : is_envelope(object) ? opened_envelope(object)
                                                 : with_provenance(object, R"({"from":"events"})");
  VIBES_TRY_ASSIGN(event, event::check(text));
  if (!event.event_id) {
    event.event_id = name_uuid(kUrlNamespace, "urn:vibes:import:" + event.payload);
  }
  return event;
}

}  // namespace vibes::hooks
