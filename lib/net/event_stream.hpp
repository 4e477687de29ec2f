// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "consumers/broadcaster.hpp"
#include "consumers/filtered_frames.hpp"
#include "consumers/past_frames.hpp"
#include "event/cursor.hpp"
#include "event/filter.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::net {

/// One client's place in the log and how it moves on: inside the ring from the ring, behind it from
/// the log, in slices that leave the net thread to others. What it reads there it leaves to others
/// who replay the same. Nothing is queued: what a client has not taken yet is in the log. Belongs
/// to one thread.
class EventStream {
 public:
  /// All must outlive the stream.
  EventStream(eventlog::EventLog& log, const consumers::Broadcaster& broadcaster,
              consumers::PastFrames& past, consumers::FilteredFrames& filtered, Offset next)
      : log_(log), broadcaster_(broadcaster), past_(past), filtered_(filtered), next_(next) {}

  /// The next offset to look at. Everything before it was handed out or did not match.
  [[nodiscard]] Offset next() const { return next_; }
  /// Behind the last event that was handed out; not beyond next().
  [[nodiscard]] Offset handed() const { return handed_; }
  void seek(Offset next);
  /// Forgets what was read ahead, because the filter changes.
  void filter_changes() { seek(next_); }

  struct Turn {
    std::string_view bytes;  // of the events that matched; lives as long as the turn and scratch
    std::optional<eventlog::Gap> gap;  // set: these can be served no more, and `bytes` is empty
    std::shared_ptr<const consumers::FrameMemory>
        memory;  // the bytes' owner, unless that is scratch
  };
  struct Wanted {
    const event::Filter& filter;
    std::optional<Offset> until = std::nullopt;  // nothing from this offset on
    consumers::Broadcaster::Shape shape = consumers::Broadcaster::Shape::frames;
    std::size_t bytes_max = limits::kWriteChunkBytes;
  };
  /// The next events, as many as fit. Empty bytes without a gap: nothing matched in the slice that
  /// was looked at; there may be more, see has_more(). `scratch` may be filled; what the turn
  /// appends is what its bytes show. Errors: those of Reader::read(); the stream stays where it is.
  Result<Turn> turn(const Wanted& wanted, std::string& scratch);

  /// Whether a turn would find something to look at. For a filter that matches little this skips
  /// ahead inside the ring at almost no cost.
  bool has_more(const Wanted& wanted);

  /// The cursor that stands before next(). Reads one event where it is not known from the last
  /// turn.
  Result<event::Cursor> cursor();

 private:
  [[nodiscard]] Offset end(const Wanted& wanted) const;
  [[nodiscard]] consumers::BurstRequest request_for(const Wanted& wanted) const;
  std::optional<consumers::Burst> collect(const Wanted& wanted, std::string& scratch);
  std::optional<consumers::Burst> collect_anew(const consumers::BurstRequest& request,
                                               std::string& scratch);
  Turn take(consumers::Burst burst);
  Result<Turn> read_log(const Wanted& wanted, std::string& scratch);
  Result<Turn> read_for_all(const Wanted& wanted, std::string& scratch);
  [[nodiscard]] bool shares(const Wanted& wanted) const;
  void note_matches(std::uint64_t matching, std::uint64_t looked_at);
  void encode(const Wanted& wanted, std::string& scratch);
  void moved_to(Offset next, std::uint32_t cursor_check);

  eventlog::EventLog& log_;
  const consumers::Broadcaster& broadcaster_;
  consumers::PastFrames& past_;
  consumers::FilteredFrames& filtered_;
  Offset next_;
  Offset handed_;
  std::uint32_t cursor_check_ = 0;            // of the event before next_; 0: not known
  std::unique_ptr<eventlog::Reader> reader_;  // only while behind the ring
  bool takes_most_ = false;                   // of what it reads; means nothing without a filter
  std::span<const event::EventView>
      ahead_;  // read but not handed out; lives until reader_'s next read
};

}  // namespace vibes::net
