// SPDX-License-Identifier: MIT
#include "consumers/assessment/assessor.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;

constexpr std::int64_t kPauseUs = 300'000'000;
constexpr std::int64_t kIdleUs = 900'000'000;
constexpr std::size_t kCheckpointsRemembered = 16;  // for the session's verdict
constexpr double kNoticed = 0.001;                  // a smaller step of an average is not told

bool begins_session(Kind kind) {
  return kind == Kind::prompt || kind == Kind::text_part || kind == Kind::tool_start ||
         kind == Kind::tool_result || kind == Kind::error;
}

bool is_told(const Reading& reading) {
  return !reading.signals.empty() ||
         std::abs(reading.after.frustration - reading.before.frustration) > kNoticed ||
         std::abs(reading.after.success - reading.before.success) > kNoticed;
}

std::int64_t deadline(const AssessedSession& session) {
  return session.last_us + (session.paused != 0 ? kIdleUs : kPauseUs);
}

Uuid id_of(const std::string& text) { return parse_uuid(text).value_or(Uuid{}); }

}  // namespace

bool Assessor::ignores(std::string_view type) {
  return type == "assessment" || type == "intervention" || type == "intervention_delivered";
}

Result<Assessor::EventResults> Assessor::fold(const event::EventView& event) {
  EventResults results;
  if (ignores(event.type)) {
    return results;
  }
  VIBES_TRY_ASSIGN(message, read_message(event.type, event.payload));
  now_us_ = std::max(now_us_, event.time.unix_us);
  notice_quiet(results);
  auto at = sessions_.find(event.session);
  if (at == sessions_.end()) {
    if (event.session.empty() || !begins_session(message.kind)) {
      return results;
    }
    at = open(event.session, results);
  }
  touch(at, event);
  if (message.kind == Kind::session_end) {
    end(at, event.type == "session_removed" ? SessionEnd::session_removed : SessionEnd::session_end,
        results);
    return results;
  }
  AssessedSession& session = at->second;
  const Message turn_end = message.kind == Kind::turn_end ? message : Message{};
  session.checkpoints.add_tokens(turn_end);
  session.record.input_tokens += turn_end.input_tokens;
  session.record.output_tokens += turn_end.output_tokens;
  for (const Heard& heard :
       session.input.take(std::move(message), event.event_id, Timestamp{now_us_})) {
    hear(at, heard, results);
  }
  return results;
}

Assessor::Sessions::iterator Assessor::open(std::string_view session, EventResults& results) {
  if (sessions_.size() >= sessions_max_) {
    evict_quietest(results);
  }
  const auto at = sessions_.try_emplace(std::string(session)).first;
  at->second.last_us = now_us_;
  plan(at);
  return at;
}

void Assessor::touch(Sessions::iterator at, const event::EventView& event) {
  AssessedSession& session = at->second;
  if (session.paused != 0) {
    session.paused = 0;
    session.last_us = now_us_;
    plan(at);
  }
  session.last_us = now_us_;
  session.last_event = to_string(event.event_id);
}

void Assessor::hear(Sessions::iterator at, const Heard& heard, EventResults& results) {
  AssessedSession& session = at->second;
  const Timestamp now{now_us_};
  const Trigger trigger{at->first, heard.event_id};
  const Reading reading = layer_.read(heard.message, heard.repetition, session.mood);
  session.mood = reading.after;
  session.record.take(heard.message, reading);
  const auto state_before = session.breaker.state;
  const auto intervention = session.breaker.take(heard.message, reading, now);
  if (is_told(reading) || session.breaker.state != state_before) {
    results.push_back({make_lightweight(trigger, session.record.messages, heard.message.kind,
                                        reading, session.breaker),
                       {}});
  }
  if (const auto checkpoint =
          session.checkpoints.take(heard.message, reading, heard.event_id, now)) {
    tell(session, trigger, *checkpoint, results);
  }
  if (intervention) {
    results.push_back({make_intervention(trigger, *intervention), {}});
  }
}

void Assessor::tell(AssessedSession& session, const Trigger& trigger, const Checkpoint& checkpoint,
                    EventResults& results) {
  results.push_back({make_medium(trigger, checkpoint), {}});
  if (session.checkpoint_ids.size() == kCheckpointsRemembered) {
    session.checkpoint_ids.erase(session.checkpoint_ids.begin());
  }
  session.checkpoint_ids.push_back(to_string(results.back().event_id.value_or(Uuid{})));
}

void Assessor::notice_quiet(EventResults& results) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_us_) {
    const auto entry = deadlines_.extract(deadlines_.begin());
    const auto at = sessions_.find(entry.value().second);
    if (at == sessions_.end()) {
      continue;
    }
    if (deadline(at->second) > entry.value().first) {
      plan(at);  // it spoke since: even where it is due too, it takes its place in the order
    } else {
      quiet(at, results);
    }
  }
}

void Assessor::quiet(Sessions::iterator at, EventResults& results) {
  AssessedSession& session = at->second;
  if (session.paused != 0) {
    end(at, SessionEnd::idle, results);
    return;
  }
  if (const auto checkpoint = session.checkpoints.pause()) {
    tell(session, {at->first, id_of(session.last_event)}, *checkpoint, results);
  }
  session.paused = 1;
  plan(at);
}

void Assessor::end(Sessions::iterator at, SessionEnd end, EventResults& results) {
  AssessedSession& session = at->second;
  if (const auto turn = session.input.finish()) {
    hear(at, *turn, results);
  }
  if (session.record.messages > 0) {
    if (is_sampled(at->first, ended_, session.record, session.breaker)) {
      results.push_back({make_heavy({at->first, id_of(session.last_event)}, end, session.record,
                                    session.breaker, session.mood),
                         {}});
      std::ranges::transform(session.checkpoint_ids, std::back_inserter(results.back().checkpoints),
                             id_of);
    }
    ++ended_;
  }
  deadlines_.erase({session.due_us, at->first});
  sessions_.erase(at);
}

void Assessor::evict_quietest(EventResults& results) {
  const auto quietest = std::ranges::min_element(
      sessions_, {}, [](const auto& entry) { return entry.second.last_us; });
  if (quietest != sessions_.end()) {
    end(quietest, SessionEnd::evicted, results);
  }
}

void Assessor::plan(Sessions::iterator at) {
  deadlines_.erase({at->second.due_us, at->first});
  at->second.due_us = deadline(at->second);
  deadlines_.emplace(at->second.due_us, at->first);
}

}  // namespace vibes::consumers::assessment
