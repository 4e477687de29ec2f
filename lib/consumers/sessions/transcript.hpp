// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "consumers/sessions/session_record.hpp"
#include "event/event.hpp"
#include "event/payload_fwd.hpp"

namespace vibes::consumers {

/// The fold: what an event makes of a session's record, and the entries it completes. Depends on
/// the events and their times alone, so that the same log gives the same bytes. Events before
/// record().next are in there already and change nothing. Not thread-safe.
///
/// An entry is a JSON object on a line: {"kind","offset","time",…}; see docs/protocol.md.
class Transcript {
 public:
  explicit Transcript(std::string id) { record_.id = std::move(id); }
  explicit Transcript(SessionRecord record) : record_(std::move(record)) {}

  void fold(const event::EventView& event, event::PayloadReader& reader);

  [[nodiscard]] const SessionRecord& record() const { return record_; }
  /// The lines of the entries that were completed since clear_lines().
  [[nodiscard]] const std::string& lines() const { return lines_; }
  void clear_lines() { std::string().swap(lines_); }  // and gives their memory back
  /// About what this holds in memory.
  [[nodiscard]] std::size_t bytes() const;

 private:
  class Step;

  SessionRecord record_;
  std::string lines_;
};

/// What is not complete yet, as lines of entries: text still being said, tools without an answer.
std::string open_lines(const SessionRecord& record);

}  // namespace vibes::consumers
