// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/offset.hpp"
#include "event/event.hpp"
#include "event/payload_fwd.hpp"

namespace vibes::consumers {

/// How a session felt after one of its messages.
struct CurvePoint {
  std::uint64_t message = 0;  // counted from 1 over the whole session
  Timestamp time;
  double frustration = 0;  // 0 to 1
  double success = 0;      // 0 to 1
};

/// The readings of a session, any number of them in at most `points_max` points. Each point stands
/// for `step` readings in a row and is the one with the highest frustration among them, the later
/// of two alike: a peak is never lost, at any length. When the points are full each two become one
/// and `step` doubles. `points_max` is even.
struct FrustrationCurve {
  void add(const CurvePoint& reading, std::size_t points_max = limits::kCurvePointsMax);

  std::vector<CurvePoint> points;
  std::uint64_t step = 1;
  std::uint64_t in_last = 0;  // readings in the last point
};

/// What became of a stretch of the session.
struct KeptCheckpoint {
  std::uint64_t first = 0;  // messages; both are inside
  std::uint64_t last = 0;
  std::string trigger;
  std::string summary;
  double segment_score = 0;  // 0 to 1
  Timestamp time;
};

struct KeptIntervention {
  std::string event_id;
  std::uint64_t message = 0;  // of the session: after which it came
  std::string kind;
  std::string reason;
  std::string text;  // for the agent
  Timestamp time;
  bool delivered = false;
};

/// The last one; a session that goes on after it may get another.
struct KeptVerdict {
  std::uint64_t message = 0;  // up to which it judges
  std::string outcome;
  std::string trajectory;
  std::string ended_by;
  std::string summary;
  Timestamp time;
};

/// What the assessment found in a session: a fold over its events `assessment`, `intervention` and
/// `intervention_delivered`, of bounded size. Plain data. Times are those of these events, not of
/// what they are about.
///
/// A session that goes on after its end is assessed as a new one, whose messages count from 1
/// again. Here they go on: it is seen by a verdict, or by a number that does not rise.
struct SessionAssessment {
  CurvePoint latest;  // message 0: no reading
  CurvePoint peak;    // of frustration, the first of those alike
  FrustrationCurve curve;
  std::deque<KeptCheckpoint> checkpoints;  // the newest limits::kCheckpointsKept
  std::uint64_t checkpoints_told = 0;
  std::deque<KeptIntervention> interventions;  // the newest of them
  std::uint64_t interventions_told = 0;
  std::string breaker;         // its state; empty: not told
  std::uint64_t openings = 0;  // seen in readings, corrected by verdicts
  std::optional<KeptVerdict> verdict;
  std::uint64_t messages = 0;  // the highest number told of
  Timestamp last_time;         // of the last result
  Offset last;                 // of the last result

  std::uint64_t part_begin = 0;     // messages before what is assessed as one now
  std::uint64_t part_openings = 0;  // seen in it
};

/// Whether events of that type are for fold_assessment().
bool is_assessment_result(std::string_view type);
/// Takes what the event says. What is absent or absurdly typed in it is passed over: anybody may
/// append events of these types. `payload` is the event's.
void fold_assessment(SessionAssessment& assessment, const event::EventView& event,
                     event::PayloadValue payload);

/// As kept on disk. The same assessment gives the same bytes.
nlohmann::json kept_json(const SessionAssessment& assessment);
/// Nothing for what kept_json() did not make.
std::optional<SessionAssessment> take_assessment(const nlohmann::json& kept);
/// At most what it holds in memory.
std::size_t bytes_of(const SessionAssessment& assessment);

}  // namespace vibes::consumers
