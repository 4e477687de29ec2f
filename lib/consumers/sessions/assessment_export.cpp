// SPDX-License-Identifier: MIT
#include "consumers/sessions/assessment_export.hpp"

#include <nlohmann/json.hpp>

#include "base/assert.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

json point_json(const CurvePoint& point) {
  return {{"message", point.message},
          {"time", format_rfc3339(point.time)},
          {"frustration", point.frustration},
          {"success", point.success}};
}

json curve_json(const SessionAssessment& assessment) {
  json curve = json::array();
  for (const CurvePoint& point : assessment.curve.points) {
    curve.push_back(point_json(point));
  }
  // Where one point stands for several readings the newest need not be the highest of them.
  if (!curve.empty() && assessment.curve.points.back().message != assessment.latest.message) {
    curve.push_back(point_json(assessment.latest));
  }
  return curve;
}

json checkpoints_json(const SessionAssessment& assessment) {
  json checkpoints = json::array();
  for (const KeptCheckpoint& one : assessment.checkpoints) {
    checkpoints.push_back({{"message_range", {one.first, one.last}},
                           {"trigger", one.trigger},
                           {"summary", one.summary},
                           {"segment_score", one.segment_score},
                           {"time", format_rfc3339(one.time)}});
  }
  return checkpoints;
}

json interventions_json(const SessionAssessment& assessment) {
  json interventions = json::array();
  for (const KeptIntervention& one : assessment.interventions) {
    interventions.push_back({{"event_id", one.event_id},
                             {"after_message", one.message},
                             {"kind", one.kind},
                             {"reason", one.reason},
                             {"message", one.text},
                             {"time", format_rfc3339(one.time)},
                             {"delivered", one.delivered}});
  }
  return interventions;
}

json verdict_json(const std::optional<KeptVerdict>& verdict) {
  return !verdict
             ? json()
             : json{{"messages", verdict->message},      {"outcome", verdict->outcome},
                    {"trajectory", verdict->trajectory}, {"ended_by", verdict->ended_by},
                    {"summary", verdict->summary},       {"time", format_rfc3339(verdict->time)}};
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string assessed_page_json(const AssessedPage& page) {
  json sessions = json::array();
  for (const AssessedSession& session : page.sessions) {
    sessions.push_back(headline_json(session));
  }
  return dump({{"sessions", std::move(sessions)},
               {"before", page.before ? json(page.before->value()) : json()},
               {"next", page.next.value()}});
}

std::string assessment_json(const SessionRecord& record, Offset next) {
  VIBES_ASSERT(record.assessment.has_value());
  return dump({{"session", headline_json(headline_of(record))},
               {"curve", curve_json(*record.assessment)},
               {"curve_step", record.assessment->curve.step},
               {"checkpoints", checkpoints_json(*record.assessment)},
               {"interventions", interventions_json(*record.assessment)},
               {"verdict", verdict_json(record.assessment->verdict)},
               {"next", next.value()}});
}

}  // namespace vibes::consumers
