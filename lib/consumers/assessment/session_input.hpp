// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "consumers/assessment/lightweight_layer.hpp"
#include "consumers/assessment/message.hpp"

namespace vibes::consumers::assessment {

/// A whole message, as the layers want it.
struct Heard {
  Message message;
  Repetition repetition = Repetition::none;
  Uuid event_id;  // what it is about
};

/// Makes whole messages of what the events of a session say: joins the agent's text per turn, names
/// the tools of results, and hears only once what both the stream and a hook tell. One per session,
/// of bounded size. The members are its whole state.
struct SessionInput {
  struct ToolUse {
    std::uint64_t id = 0;  // a hash
    std::string name;
    std::uint64_t heard = 0;  // 1: its result is in
  };

  /// At most two: a turn that was cut off, and the message itself.
  std::vector<Heard> take(Message message, const Uuid& event_id, Timestamp time);
  /// What is left of a turn that nothing will end any more.
  std::optional<Heard> finish();

  std::string turn_text;
  std::string last_part;     // the event_id of the last fragment
  std::uint64_t prompt = 0;  // a hash of the last one; 0: none yet
  std::int64_t prompt_us = 0;
  int prompt_source = 0;
  std::uint64_t prompt_twice = 0;  // 1: both told it
  std::deque<ToolUse> tools;       // the last ones

 private:
  void add_part(const Message& part, const Uuid& event_id);
  void add_prompt(Message message, const Uuid& event_id, Timestamp time, std::vector<Heard>& heard);
  void add_result(Message message, const Uuid& event_id, std::vector<Heard>& heard);
  ToolUse& tool(const std::string& id);
};

}  // namespace vibes::consumers::assessment
