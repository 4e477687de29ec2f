// SPDX-License-Identifier: MIT
#include "consumers/assessment/summary_request.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "consumers/assessment/errc.hpp"

namespace vibes::consumers::assessment {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kMedium = R"({"type":"assessment","tier":"medium",)";
constexpr std::string_view kHeavy = R"({"type":"assessment","tier":"heavy",)";

ordered_json object_of(const event::NewEvent& result) {
  auto object = ordered_json::parse(result.payload, nullptr, /*allow_exceptions=*/false);
  VIBES_ASSERT(object.is_object());  // we have made it
  return object;
}

event::NewEvent with_payload(const event::NewEvent& result, const ordered_json& object) {
  event::NewEvent made = result;
  made.payload = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return made;
}

Result<AssessmentResult> load_request(const json& saved) {
  AssessmentResult request;
  const auto id = parse_uuid(saved.at("event_id").get<std::string>());
  if (!id) {
    return fail(Errc::bad_state, "an id that is none");
  }
  request.event_id = *id;
  request.type = "assessment";
  request.session = saved.at("session").get<std::string>();
  request.payload = saved.at("payload").get<std::string>();
  const json payload = json::parse(request.payload, nullptr, /*allow_exceptions=*/false);
  if (!has_summary(request) || !payload.is_object() || !payload.at("summary").is_string()) {
    return fail(Errc::bad_state, "a request that is none");
  }
  for (const json& one : saved.at("checkpoints")) {
    request.checkpoints.push_back(parse_uuid(one.get<std::string>()).value_or(Uuid{}));
  }
  return request;
}

}  // namespace

bool has_summary(const event::NewEvent& result) {
  return result.payload.starts_with(kMedium) || result.payload.starts_with(kHeavy);
}

event::NewEvent told_by_model(const event::NewEvent& result, const ModelAnswer& answer) {
  ordered_json object = object_of(result);
  object["summary"] = answer.summary;
  object["summary_by"] = "model";
  if (answer.outcome && object.contains("outcome")) {
    object["rule_outcome"] = object["outcome"];
    object["outcome"] = *answer.outcome;
  }
  return with_payload(result, object);
}

event::NewEvent told_by_rule(const event::NewEvent& result, std::string_view why) {
  ordered_json object = object_of(result);
  object["summary_by"] = "extractive";
  object["backend_error"] = why;
  return with_payload(result, object);
}

std::string save_requests(const std::vector<AssessmentResult>& requests) {
  json saved = json::array();
  for (const AssessmentResult& request : requests) {
    json checkpoints = json::array();
    for (const Uuid& id : request.checkpoints) {
      checkpoints.push_back(to_string(id));
    }
    saved.push_back({{"event_id", to_string(request.event_id.value_or(Uuid{}))},
                     {"session", request.session},
                     {"payload", request.payload},
                     {"checkpoints", std::move(checkpoints)}});
  }
  return saved.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<AssessmentResult>> load_requests(std::string_view text) {
  std::vector<AssessmentResult> requests;
  try {
    for (const json& saved : json::parse(text)) {
      VIBES_TRY_ASSIGN(request, load_request(saved));
      requests.push_back(std::move(request));
    }
  } catch (const json::exception& why) {
    return fail(Errc::bad_state, why.what());
  }
  return requests;
}

}  // namespace vibes::consumers::assessment
