// SPDX-License-Identifier: MIT
// The state of an Assessor as JSON, and back.
#include <utility>

#include <nlohmann/json.hpp>

#include "consumers/assessment/assessor.hpp"
#include "consumers/assessment/errc.hpp"

namespace vibes::consumers::assessment {

using nlohmann::json;
using Segment = CheckpointManager::Segment;
using ToolUse = SessionInput::ToolUse;

// NOLINTBEGIN(cppcoreguidelines-macro-usage, misc-use-internal-linkage)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ToolUse, id, name, heard)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SessionInput, turn_text, last_part, prompt, prompt_us,
                                   prompt_source, prompt_twice, tools)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Mood, frustration, success)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CircuitBreaker, state, score, halved_us, opened_us,
                                   failures_in_row, spoken, openings, interventions, messages,
                                   intervened_at, held_back)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Segment, first, count, worked, since_us, last_us, input_tokens,
                                   output_tokens, balance, recent, asked, said, tools, failures,
                                   event_ids)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CheckpointManager, segment)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SessionRecord, messages, prompts, tool_results, tool_failures,
                                   commits, input_tokens, output_tokens, frustration_sum,
                                   frustration_peak, asked, last_word, last_build, unanswered)

void to_json(json& to, const AssessedSession& from) {
  to = {{"input", from.input},     {"mood", from.mood},
        {"breaker", from.breaker}, {"checkpoints", from.checkpoints},
        {"record", from.record},   {"checkpoint_ids", from.checkpoint_ids},
        {"last_us", from.last_us}, {"last_event", from.last_event},
        {"paused", from.paused}};
}

void from_json(const json& from, AssessedSession& to) {
  from.at("input").get_to(to.input);
  from.at("mood").get_to(to.mood);
  from.at("breaker").get_to(to.breaker);
  from.at("checkpoints").get_to(to.checkpoints);
  from.at("record").get_to(to.record);
  if (from.contains("checkpoint_ids")) {  // states of before have none
    from.at("checkpoint_ids").get_to(to.checkpoint_ids);
  }
  from.at("last_us").get_to(to.last_us);
  from.at("last_event").get_to(to.last_event);
  from.at("paused").get_to(to.paused);
}
// NOLINTEND(cppcoreguidelines-macro-usage, misc-use-internal-linkage)

namespace {

constexpr int kVersion = 1;

}  // namespace

std::string Assessor::save() const {
  const json state{
      {"version", kVersion}, {"now_us", now_us_}, {"ended", ended_}, {"sessions", sessions_}};
  // A turn may have been cut inside a character.
  return state.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<void> Assessor::load(std::string_view text) {
  try {
    const json state = json::parse(text);
    if (state.at("version").get<int>() != kVersion) {
      return fail(Errc::bad_state, "a state of another version");
    }
    auto sessions = state.at("sessions").get<Sessions>();
    const auto now_us = state.at("now_us").get<std::int64_t>();
    const auto ended = state.at("ended").get<std::uint64_t>();
    sessions_ = std::move(sessions);
    now_us_ = now_us;
    ended_ = ended;
  } catch (const json::exception& why) {
    return fail(Errc::bad_state, why.what());
  }
  deadlines_.clear();
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
    plan(at);
  }
  return {};
}

}  // namespace vibes::consumers::assessment
