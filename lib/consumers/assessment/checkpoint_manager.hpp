// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "consumers/assessment/lightweight_layer.hpp"

namespace vibes::consumers::assessment {

/// What became of a stretch of a session.
struct Checkpoint {
  std::string_view trigger;
  std::uint64_t first = 0;  // messages of the session, counted from 1; both are inside
  std::uint64_t last = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  double segment_score = 0;  // 0 to 1; 0.5: as much good as bad
  std::string summary;       // by an extractive rule, the same for the same events
  std::vector<Uuid> event_ids;
};

/// Collects the messages since the last checkpoint and says when the next one is due. One per
/// session, in event time, of bounded size.
class CheckpointManager {
 public:
  /// The members are the whole state, so that it can be saved.
  struct Segment {
    std::uint64_t first = 1;
    std::uint64_t count = 0;
    std::uint64_t worked = 0;  // prompts and tool results among them
    std::int64_t since_us = 0;
    std::int64_t last_us = 0;  // of the last message
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    std::int64_t balance = 0;  // good signals minus bad ones
    unsigned recent = 0;       // one bit per message: 1 is a tool failure
    std::string asked;         // the first prompt, shortened
    std::string said;          // the last of the agent's, shortened
    std::map<std::string, std::uint64_t> tools;
    std::uint64_t failures = 0;
    std::vector<std::string> event_ids;
  };

  std::optional<Checkpoint> take(const Message& message, const Reading& reading,
                                 const Uuid& event_id, Timestamp time);
  void add_tokens(const Message& turn_end);
  /// The session has paused: the checkpoint of that, if there is enough to speak of.
  std::optional<Checkpoint> pause();

  Segment segment;

 private:
  void add(const Message& message, const Reading& reading, const Uuid& event_id, Timestamp time);
  [[nodiscard]] std::optional<std::string_view> due(const Reading& reading, Timestamp time) const;
  Checkpoint finish(std::string_view trigger, Timestamp time);
  [[nodiscard]] std::string summary() const;
};

/// The first line of a text, at most `bytes` of it, whole characters only.
std::string first_line(std::string_view text, std::size_t bytes);

}  // namespace vibes::consumers::assessment
