// SPDX-License-Identifier: MIT
#include "consumers/assessment/results.hpp"

#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "event/codec.hpp"

namespace vibes::consumers::assessment {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  event::append_json_string(out, text);
  return out;
}

event::NewEvent make(const Trigger& trigger, std::string_view type, std::string_view tier,
                     std::string payload) {
  return {.payload = std::move(payload),
          .type = std::string(type),
          .session = std::string(trigger.session),
          .event_id = name_uuid(trigger.event_id, tier)};
}

/// The members that every assessment begins with.
std::string begin(const Trigger& trigger, std::string_view tier) {
  return fmt::format(
      R"({{"type":"assessment","tier":"{}","session_id":{},"triggering_event_id":"{}")", tier,
      quoted(trigger.session), to_string(trigger.event_id));
}

std::string_view name_of(Message::Kind kind) {
  switch (kind) {
    case Message::Kind::prompt:
      return "prompt";
    case Message::Kind::tool_result:
      return "tool_result";
    case Message::Kind::error:
      return "error";
    default:
      return "agent_text";
  }
}

std::string signal_json(const Signal& signal) {
  const std::string label = quoted(signal.label);
  switch (signal.kind) {
    case Signal::Kind::negative:
      return fmt::format(R"({{"signal":"negative","pattern":{},"confidence":{:.1f}}})", label,
                         signal.confidence);
    case Signal::Kind::positive:
      return fmt::format(R"({{"signal":"positive","pattern":{},"confidence":{:.1f}}})", label,
                         signal.confidence);
    case Signal::Kind::tool_failure:
      return fmt::format(R"({{"signal":"tool_failure","tool_name":{},"confidence":{:.1f}}})",
                         signal.label.empty() ? "null" : label, signal.confidence);
    case Signal::Kind::correction:
      return fmt::format(R"({{"signal":"correction","confidence":{:.1f}}})", signal.confidence);
    case Signal::Kind::retry:
      return fmt::format(R"({{"signal":"retry","confidence":{:.1f}}})", signal.confidence);
    case Signal::Kind::build_passed:
    case Signal::Kind::build_failed:
      return fmt::format(R"({{"signal":"build_status","passed":{},"confidence":{:.1f}}})",
                         signal.kind == Signal::Kind::build_passed, signal.confidence);
  }
  return "{}";
}

}  // namespace

event::NewEvent make_lightweight(const Trigger& trigger, std::uint64_t number, Message::Kind kind,
                                 const Reading& reading, const CircuitBreaker& breaker) {
  std::string json = begin(trigger, "lightweight");
  const auto out = std::back_inserter(json);
  fmt::format_to(out, R"(,"message":{},"kind":"{}","signals":[)", number, name_of(kind));
  std::string_view between;
  for (const Signal& signal : reading.signals) {
    fmt::format_to(out, "{}{}", std::exchange(between, ","), signal_json(signal));
  }
  fmt::format_to(
      out, R"(],"frustration":{:.6f},"success":{:.6f},"breaker":{{"state":"{}","score":{:.6f}}}}})",
      reading.after.frustration, reading.after.success, to_string(breaker.state), breaker.score);
  return make(trigger, "assessment", "lightweight", std::move(json));
}

event::NewEvent make_medium(const Trigger& trigger, const Checkpoint& checkpoint) {
  std::string json = begin(trigger, "medium");
  const auto out = std::back_inserter(json);
  fmt::format_to(out,
                 R"(,"checkpoint_id":"{}","message_range":[{},{}],"trigger":"{}","summary":{})",
                 to_string(name_uuid(trigger.event_id, "checkpoint")), checkpoint.first,
                 checkpoint.last, checkpoint.trigger, quoted(checkpoint.summary));
  fmt::format_to(
      out,
      R"(,"token_metrics":{{"input_tokens":{},"output_tokens":{}}},"segment_score":{:.6f},"event_ids":[)",
      checkpoint.input_tokens, checkpoint.output_tokens, checkpoint.segment_score);
  std::string_view between;
  for (const Uuid& id : checkpoint.event_ids) {
    fmt::format_to(out, "{}\"{}\"", std::exchange(between, ","), to_string(id));
  }
  json += "]}";
  return make(trigger, "assessment", "medium", std::move(json));
}

event::NewEvent make_heavy(const Trigger& trigger, SessionEnd end, const SessionRecord& record,
                           const CircuitBreaker& breaker, Mood mood) {
  const SessionVerdict verdict = judge_session(record, breaker, mood, end);
  std::string json = begin(trigger, "heavy");
  const auto out = std::back_inserter(json);
  fmt::format_to(out, R"(,"ended_by":"{}","outcome":"{}","trajectory":"{}","summary":{})",
                 to_string(end), to_string(verdict.outcome), to_string(verdict.trajectory),
                 quoted(verdict.summary));
  fmt::format_to(
      out,
      R"(,"messages":{},"frustration":{:.6f},"frustration_peak":{:.6f},"success":{:.6f},"breaker":{{"state":"{}","openings":{},"interventions":{},"held_back":{}}},"token_metrics":{{"input_tokens":{},"output_tokens":{}}}}})",
      record.messages, mood.frustration, record.frustration_peak, mood.success,
      to_string(breaker.state), breaker.openings, breaker.interventions, breaker.held_back,
      record.input_tokens, record.output_tokens);
  return make(trigger, "assessment", "heavy", std::move(json));
}

event::NewEvent make_intervention(const Trigger& trigger, const Intervention& intervention) {
  return make(
      trigger, "intervention", "intervention",
      fmt::format(
          R"({{"type":"intervention","session_id":{},"triggering_event_id":"{}","kind":"{}","reason":{},"message":{}}})",
          quoted(trigger.session), to_string(trigger.event_id), to_string(intervention.kind),
          quoted(intervention.reason), quoted(intervention.message)));
}

}  // namespace vibes::consumers::assessment
