// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/offset.hpp"
#include "base/page_store.hpp"
#include "consumers/frame_memory.hpp"
#include "event/event.hpp"
#include "event/filter.hpp"

namespace vibes::consumers {

/// Appends one event as a complete frame, header and text. Returns where in `out` the envelope's
/// first member is, that is, the place past its opening brace.
std::size_t append_event_text_frame(std::string& out, const event::EventView& event);

/// A run of consecutive events, each encoded once into the frame that goes on the wire, one after
/// the other in one block of memory. Written by one thread and only ever appended to; what has been
/// published does not change, so readers take no lock: they look at end() and at what lies before
/// it.
class FrameChunk {
 public:
  /// Events of one chunk, whatever their size.
  static constexpr std::size_t kEventsMax = 512;
  /// Distinct pairs of type and session in one chunk. A filter is evaluated once per pair, not once
  /// per event.
  static constexpr std::size_t kKindsMax = 64;

  /// A chunk that starts with `first`: limits::kWriteChunkBytes large, or as large as this one
  /// event needs. `pages`, if there are any and they suffice, are its memory.
  explicit FrameChunk(const event::EventView& first, PageStore::Block pages = {});
  /// A chunk from `first` on with room for `capacity_bytes`, as bytes_needed() counts them.
  FrameChunk(Offset first, std::size_t capacity_bytes, PageStore::Block pages = {});
  FrameChunk(const FrameChunk&) = delete;
  FrameChunk& operator=(const FrameChunk&) = delete;

  /// What an event takes of a chunk's room, a little more than its frame.
  [[nodiscard]] static std::size_t bytes_needed(const event::EventView& event);

  // --- The writer's half
  // -------------------------------------------------------------------------------------------

  /// False: the chunk is full and stays as it is from now on.
  [[nodiscard]] bool has_room_for(const event::EventView& event) const;
  /// Encodes and publishes. Requires has_room_for(event) and event.offset == end().
  void append(const event::EventView& event);

  // --- The readers' half
  // -------------------------------------------------------------------------------------------

  [[nodiscard]] Offset first() const { return first_; }
  [[nodiscard]] Offset end() const { return first_ + published_.load(std::memory_order_acquire); }
  /// What the chunk occupies, used or not.
  [[nodiscard]] std::size_t capacity_bytes() const { return memory_.capacity_bytes(); }
  /// Where the frames are.
  [[nodiscard]] const FrameMemory& memory() const { return memory_; }

  /// The frames of [from, to), contiguous. The range must be published.
  [[nodiscard]] std::string_view frames(Offset from, Offset to) const;
  /// The end of the longest run [from, x) with x <= to whose frames take at most `bytes_max`, but
  /// at least one event.
  [[nodiscard]] Offset fit(Offset from, Offset to, std::size_t bytes_max) const;
  [[nodiscard]] std::string_view frame(Offset offset) const { return frames(offset, offset + 1); }
  /// The event's envelope without its opening brace: `"event_id":…}`.
  [[nodiscard]] std::string_view envelope_rest(Offset offset) const;
  /// event::cursor_check() of the event.
  [[nodiscard]] std::uint32_t cursor_check(Offset offset) const;

  /// Remembers what a filter said about each pair of type and session of one chunk.
  class Matcher {
   public:
    Matcher(const FrameChunk& chunk, const event::Filter& filter)
        : chunk_(chunk), filter_(filter) {}
    bool operator()(Offset offset);

   private:
    enum class Verdict : std::uint8_t { unknown, no, yes };
    const FrameChunk& chunk_;
    const event::Filter& filter_;
    std::array<Verdict, kKindsMax> verdicts_{};
  };

 private:
  struct Kind {
    std::string type;
    std::string session;
  };
  struct Entry {
    std::uint32_t begin = 0;     // of the frame in data_
    std::uint32_t envelope = 0;  // past the envelope's opening brace
    std::uint32_t end = 0;
    std::uint32_t cursor_check = 0;
    std::uint8_t kind = 0;
  };

  [[nodiscard]] const Entry& entry(Offset offset) const { return entries_[offset - first_]; }
  [[nodiscard]] std::size_t find_kind(const event::EventView& event) const;

  const Offset first_;
  FrameMemory memory_;
  std::vector<Entry> entries_;
  std::array<Kind, kKindsMax> kinds_;
  std::size_t kinds_used_ = 0;  // the writer's
  std::atomic<std::uint64_t> published_{0};
};

}  // namespace vibes::consumers
