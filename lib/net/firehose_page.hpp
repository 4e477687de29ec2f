// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "event/filter.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::net {

/// One `events_batch`: the newest matching events before an offset, found by reading backwards in
/// slices, so that a page under a rare filter does not hold up the net thread. Belongs to one
/// thread.
class FirehosePage {
 public:
  /// `filter` must outlive the page. Errors: those of EventLog::reader().
  static Result<FirehosePage> open(eventlog::EventLog& log, const event::Filter& filter,
                                   Offset before, std::size_t events_max);

  enum class State { reading, complete };
  /// Reads one slice. Errors: those of Reader::read_back(); the page is lost.
  Result<State> step();

  /// The answer's text. Requires State::complete.
  [[nodiscard]] std::string text() const;
  /// Everything from here to the offset the page was opened with has been looked at and, if it
  /// matched, is in the page.
  [[nodiscard]] Offset oldest() const { return oldest_; }

 private:
  FirehosePage(eventlog::EventLog& log, const event::Filter& filter, Offset before,
               std::size_t events_max, std::unique_ptr<eventlog::Reader> reader);
  [[nodiscard]] bool takes(const event::EventView& event) const;

  eventlog::EventLog* log_;
  const event::Filter* filter_;
  std::size_t events_max_;
  std::unique_ptr<eventlog::Reader> reader_;
  Offset oldest_;
  Uuid oldest_id_;
  std::vector<std::string> envelopes_;  // newest first
  std::size_t bytes_ = 0;
  bool has_more_ = false;
};

}  // namespace vibes::net
