// SPDX-License-Identifier: MIT
#include "consumers/sessions/session_assessment.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "consumers/sessions/record_source.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {
namespace {

using event::PayloadValue;
using nlohmann::json;

constexpr std::size_t kWordBytesMax = 64;            // of a state, a trigger, an outcome
constexpr std::size_t kSummaryBytesMax = 1'024;      // of a summary, a reason, a message
constexpr std::uint64_t kMessagesMax = 1ULL << 40U;  // no session has more; sums stay exact

std::string text_of(PayloadValue object, std::string_view key, std::size_t bytes_max) {
  const std::string_view text = object.text(key);
  std::size_t end = std::min(text.size(), bytes_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;  // not inside a character
  }
  return std::string(text.substr(0, end));
}

std::optional<double> share(PayloadValue value) {
  const auto number = value.number();
  return number ? std::optional(std::clamp(*number, 0.0, 1.0)) : std::nullopt;
}

std::optional<std::uint64_t> count(PayloadValue value) {
  const auto number = value.count();
  return number && *number <= kMessagesMax ? number : std::nullopt;
}

template <class Kept>
void keep(std::deque<Kept>& list, Kept one, std::size_t kept_max) {
  list.push_back(std::move(one));
  if (list.size() > kept_max) {
    list.pop_front();
  }
}

void begin_part(SessionAssessment& to, std::uint64_t at) {
  to.part_begin = at;
  to.part_openings = 0;
}

void take_breaker(SessionAssessment& to, PayloadValue breaker) {
  std::string state = text_of(breaker, "state", kWordBytesMax);
  if (state.empty()) {
    return;
  }
  if (state == "open" && to.breaker != "open") {
    ++to.openings;
    ++to.part_openings;
  }
  to.breaker = std::move(state);
}

void take_reading(SessionAssessment& to, const event::EventView& event, PayloadValue told) {
  const auto message = count(told.member("message"));
  const auto frustration = share(told.member("frustration"));
  if (!message || *message == 0 || !frustration) {
    return;
  }
  if (to.latest.message > 0 && to.part_begin + *message <= to.latest.message) {
    begin_part(to, to.messages);
  }
  to.latest = {to.part_begin + *message, event.time, *frustration,
               share(told.member("success")).value_or(0)};
  to.messages = std::max(to.messages, to.latest.message);
  if (to.peak.message == 0 || to.latest.frustration > to.peak.frustration) {
    to.peak = to.latest;
  }
  to.curve.add(to.latest);
  take_breaker(to, told.member("breaker"));
}

void take_checkpoint(SessionAssessment& to, const event::EventView& event, PayloadValue told) {
  const std::vector<PayloadValue> range = told.member("message_range").elements();
  const bool pair = range.size() == 2;
  const auto first = pair ? count(range[0]) : std::nullopt;
  const auto last = pair ? count(range[1]) : std::nullopt;
  if (!first || !last || *first > *last) {
    return;
  }
  ++to.checkpoints_told;
  to.messages = std::max(to.messages, to.part_begin + *last);
  keep(to.checkpoints,
       {to.part_begin + *first, to.part_begin + *last, text_of(told, "trigger", kWordBytesMax),
        text_of(told, "summary", kSummaryBytesMax), share(told.member("segment_score")).value_or(0),
        event.time},
       limits::kCheckpointsKept);
}

void take_verdict(SessionAssessment& to, const event::EventView& event, PayloadValue told) {
  std::string outcome = text_of(told, "outcome", kWordBytesMax);
  if (outcome.empty()) {
    return;
  }
  to.messages = std::max(to.messages, to.part_begin + count(told.member("messages")).value_or(0));
  const PayloadValue breaker = told.member("breaker");
  if (std::string state = text_of(breaker, "state", kWordBytesMax); !state.empty()) {
    to.breaker = std::move(state);
  }
  // An opening within one message leaves no trace in the readings.
  const auto openings = count(breaker.member("openings"));
  to.openings += std::max(openings.value_or(0), to.part_openings) - to.part_openings;
  to.verdict = KeptVerdict{to.messages,
                           std::move(outcome),
                           text_of(told, "trajectory", kWordBytesMax),
                           text_of(told, "ended_by", kWordBytesMax),
                           text_of(told, "summary", kSummaryBytesMax),
                           event.time};
  begin_part(to, to.messages);
}

void take_intervention(SessionAssessment& to, const event::EventView& event, PayloadValue told) {
  ++to.interventions_told;
  keep(to.interventions,
       {to_string(event.event_id), to.latest.message, text_of(told, "kind", kWordBytesMax),
        text_of(told, "reason", kSummaryBytesMax), text_of(told, "message", kSummaryBytesMax),
        event.time, false},
       limits::kInterventionsKept);
}

void take_delivery(SessionAssessment& to, PayloadValue told) {
  const std::string id = text_of(told, "intervention_id", kWordBytesMax);
  for (KeptIntervention& one : to.interventions) {
    one.delivered = one.delivered || one.event_id == id;
  }
}

json kept_json(const CurvePoint& point) {
  return {point.message, point.time.unix_us, point.frustration, point.success};
}

CurvePoint take_point(RecordSource& source, const json& kept) {
  const bool good = kept.is_array() && kept.size() == 4 && kept[0].is_number_unsigned() &&
                    kept[1].is_number_integer() && kept[2].is_number() && kept[3].is_number();
  return source.check(good) ? CurvePoint{kept[0].get<std::uint64_t>(),
                                         {kept[1].get<std::int64_t>()},
                                         kept[2].get<double>(),
                                         kept[3].get<double>()}
                            : CurvePoint{};
}

json kept_json(const KeptVerdict& verdict) {
  return {{"message", verdict.message},       {"outcome", verdict.outcome},
          {"trajectory", verdict.trajectory}, {"ended_by", verdict.ended_by},
          {"summary", verdict.summary},       {"time_us", verdict.time.unix_us}};
}

void take_lists(RecordSource& source, SessionAssessment& made) {
  for (const json& point : source.member("curve")) {
    made.curve.points.push_back(take_point(source, point));
  }
  source.each("checkpoints", [&](RecordSource& one) {
    made.checkpoints.push_back({one.number("first"), one.number("last"), one.text("trigger"),
                                one.text("summary"), one.real("score"), one.time("time_us")});
  });
  source.each("interventions", [&](RecordSource& one) {
    made.interventions.push_back({one.text("event_id"), one.number("message"), one.text("kind"),
                                  one.text("reason"), one.text("text"), one.time("time_us"),
                                  one.number("delivered") == 1});
  });
}

}  // namespace

void FrustrationCurve::add(const CurvePoint& reading, std::size_t points_max) {
  const auto stays = [](const CurvePoint& earlier, const CurvePoint& later) {
    return later.frustration >= earlier.frustration ? later : earlier;
  };
  if (!points.empty() && in_last < step) {
    points.back() = stays(points.back(), reading);
    ++in_last;
    return;
  }
  if (points.size() >= points_max) {
    VIBES_ASSERT(points.size() % 2 == 0);
    for (std::size_t i = 0; i < points.size() / 2; ++i) {
      points[i] = stays(points[2 * i], points[2 * i + 1]);
    }
    points.resize(points.size() / 2);
    step *= 2;
  }
  points.push_back(reading);
  in_last = 1;
}

bool is_assessment_result(std::string_view type) {
  return type == "assessment" || type == "intervention" || type == "intervention_delivered";
}

void fold_assessment(SessionAssessment& assessment, const event::EventView& event,
                     PayloadValue payload) {
  assessment.last = event.offset;
  assessment.last_time = event.time;
  if (event.type == "intervention") {
    take_intervention(assessment, event, payload);
  } else if (event.type == "intervention_delivered") {
    take_delivery(assessment, payload);
  } else if (const std::string tier = text_of(payload, "tier", kWordBytesMax);
             tier == "lightweight") {
    take_reading(assessment, event, payload);
  } else if (tier == "medium") {
    take_checkpoint(assessment, event, payload);
  } else if (tier == "heavy") {
    take_verdict(assessment, event, payload);
  }
}

json kept_json(const SessionAssessment& from) {
  json kept = {{"latest", kept_json(from.latest)},
               {"peak", kept_json(from.peak)},
               {"curve", json::array()},
               {"curve_step", from.curve.step},
               {"curve_in_last", from.curve.in_last},
               {"checkpoints", json::array()},
               {"checkpoints_told", from.checkpoints_told},
               {"interventions", json::array()},
               {"interventions_told", from.interventions_told},
               {"breaker", from.breaker},
               {"openings", from.openings},
               {"verdict", from.verdict ? kept_json(*from.verdict) : json()},
               {"messages", from.messages},
               {"last", from.last.value()},
               {"last_us", from.last_time.unix_us},
               {"part_begin", from.part_begin},
               {"part_openings", from.part_openings}};
  for (const CurvePoint& point : from.curve.points) {
    kept["curve"].push_back(kept_json(point));
  }
  for (const KeptCheckpoint& one : from.checkpoints) {
    kept["checkpoints"].push_back({{"first", one.first},
                                   {"last", one.last},
                                   {"trigger", one.trigger},
                                   {"summary", one.summary},
                                   {"score", one.segment_score},
                                   {"time_us", one.time.unix_us}});
  }
  for (const KeptIntervention& one : from.interventions) {
    kept["interventions"].push_back({{"event_id", one.event_id},
                                     {"message", one.message},
                                     {"kind", one.kind},
                                     {"reason", one.reason},
                                     {"text", one.text},
                                     {"time_us", one.time.unix_us},
                                     {"delivered", one.delivered ? 1U : 0U}});
  }
  return kept;
}

std::optional<SessionAssessment> take_assessment(const json& kept) {
  RecordSource source(kept);
  SessionAssessment made;
  made.latest = take_point(source, source.member("latest"));
  made.peak = take_point(source, source.member("peak"));
  take_lists(source, made);
  made.curve.step = source.number("curve_step");
  made.curve.in_last = source.number("curve_in_last");
  made.checkpoints_told = source.number("checkpoints_told");
  made.interventions_told = source.number("interventions_told");
  made.breaker = source.text("breaker");
  made.openings = source.number("openings");
  if (!source.is_null("verdict")) {
    RecordSource verdict(source.member("verdict"));
    made.verdict =
        KeptVerdict{verdict.number("message"), verdict.text("outcome"), verdict.text("trajectory"),
                    verdict.text("ended_by"),  verdict.text("summary"), verdict.time("time_us")};
    source.check(verdict.ok());
  }
  made.messages = source.number("messages");
  made.last = Offset(source.number("last"));
  made.last_time = source.time("last_us");
  made.part_begin = source.number("part_begin");
  made.part_openings = source.number("part_openings");
  const bool sound = made.curve.points.size() <= limits::kCurvePointsMax && made.curve.step > 0 &&
                     made.curve.in_last <= made.curve.step;
  return source.check(sound) && source.ok() ? std::optional(std::move(made)) : std::nullopt;
}

std::size_t bytes_of(const SessionAssessment& assessment) {
  // Asked for at every event, so summaries are taken to be as long as they can be.
  return sizeof(assessment) + assessment.curve.points.capacity() * sizeof(CurvePoint) +
         assessment.checkpoints.size() * (sizeof(KeptCheckpoint) + kSummaryBytesMax) +
         assessment.interventions.size() * (sizeof(KeptIntervention) + 2 * kSummaryBytesMax);
}

}  // namespace vibes::consumers
