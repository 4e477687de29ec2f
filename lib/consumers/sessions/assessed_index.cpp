// SPDX-License-Identifier: MIT
#include "consumers/sessions/assessed_index.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "consumers/sessions/record_source.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

std::string shortened(std::string text) {
  std::size_t end = std::min(text.size(), limits::kSessionNameBytesMax);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;  // not inside a character
  }
  text.resize(end);
  return text;
}

json text_or_null(const std::optional<std::string>& text) { return text ? json(*text) : json(); }

}  // namespace

AssessedSession headline_of(const SessionRecord& record) {
  VIBES_ASSERT(record.assessment.has_value());
  const SessionAssessment& from = *record.assessment;
  return {.id = record.id,
          .name = record.name ? std::optional(shortened(*record.name)) : std::nullopt,
          .frustration = from.latest.frustration,
          .frustration_peak = from.peak.frustration,
          .success = from.latest.success,
          .breaker = from.breaker,
          .openings = from.openings,
          .messages = from.messages,
          .checkpoints = from.checkpoints_told,
          .interventions = from.interventions_told,
          .outcome = from.verdict ? std::optional(from.verdict->outcome) : std::nullopt,
          .last_time = from.last_time,
          .last = from.last};
}

json headline_json(const AssessedSession& session) {
  return {{"id", session.id},
          {"name", text_or_null(session.name)},
          {"messages", session.messages},
          {"frustration", session.frustration},
          {"frustration_peak", session.frustration_peak},
          {"success", session.success},
          {"breaker", session.breaker.empty() ? json() : json(session.breaker)},
          {"openings", session.openings},
          {"checkpoints", session.checkpoints},
          {"interventions", session.interventions},
          {"outcome", text_or_null(session.outcome)},
          {"last", format_rfc3339(session.last_time)},
          {"last_offset", session.last.value()}};
}

std::optional<AssessedSession> take_headline(const json& told) {
  RecordSource source(told);
  const auto optional_text = [&](const char* key) {
    return source.is_null(key) ? std::nullopt : std::optional(source.text(key));
  };
  AssessedSession made;
  made.id = source.text("id");
  made.name = optional_text("name");
  made.messages = source.number("messages");
  made.frustration = source.real("frustration");
  made.frustration_peak = source.real("frustration_peak");
  made.success = source.real("success");
  made.breaker = optional_text("breaker").value_or("");
  made.openings = source.number("openings");
  made.checkpoints = source.number("checkpoints");
  made.interventions = source.number("interventions");
  made.outcome = optional_text("outcome");
  const auto last = parse_rfc3339(source.text("last"));
  made.last_time = last.value_or(Timestamp{});
  made.last = Offset(source.number("last_offset"));
  return source.ok() && last ? std::optional(std::move(made)) : std::nullopt;
}

void AssessedIndex::put(AssessedSession session) {
  const Offset at = session.last;
  const auto [known, fresh] = by_id_.try_emplace(session.id, at);
  if (!fresh) {
    newest_first_.erase(std::exchange(known->second, at));
  }
  newest_first_.insert_or_assign(at, std::move(session));
  if (newest_first_.size() > sessions_max_) {
    const auto oldest = std::prev(newest_first_.end());
    by_id_.erase(oldest->second.id);
    newest_first_.erase(oldest);
  }
}

void AssessedIndex::clear() {
  newest_first_.clear();
  by_id_.clear();
}

std::vector<AssessedSession> AssessedIndex::page(std::optional<Offset> before,
                                                 std::size_t limit) const {
  std::vector<AssessedSession> found;
  auto at = before ? newest_first_.upper_bound(*before) : newest_first_.begin();
  for (; at != newest_first_.end() && found.size() < limit; ++at) {
    found.push_back(at->second);
  }
  return found;
}

}  // namespace vibes::consumers
