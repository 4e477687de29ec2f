// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "base/offset.hpp"
#include "consumers/frame_chunk.hpp"
#include "event/filter.hpp"

namespace vibes::consumers {

enum class BurstShape : std::uint8_t {
  frames,     // complete WebSocket text frames (RFC 6455 §5.2, unmasked, FIN set), one per event
  envelopes,  // the events' envelopes as JSON objects, separated by commas
};

/// What a client asks for in one turn.
struct BurstRequest {
  Offset from;
  /// Nothing from this offset on; default: up to the end.
  std::optional<Offset> until = std::nullopt;
  /// Borrowed; nullptr: everything.
  const event::Filter* filter = nullptr;
  std::size_t bytes_max = limits::kWriteChunkBytes;
  BurstShape shape = BurstShape::frames;
};

/// What a client gets in one turn.
struct Burst {
  std::string_view bytes;  // into `memory`, or into the caller's scratch
  std::uint64_t events = 0;
  Offset last_end;  // behind the last of them; means nothing without one
  Offset next;  // where the client stands afterwards: past everything looked at, matching or not
  std::uint32_t cursor_check = 0;  // of the event at next-1; 0 where nothing was looked at
  std::shared_ptr<const FrameMemory> memory;  // shared with others: keeps the bytes alive
};

/// Collects one burst from chunk after chunk, wherever they are kept.
class BurstMaker {
 public:
  /// `request` and `scratch` must outlive the maker. What cannot be a view of a chunk is appended
  /// to `scratch`.
  BurstMaker(const BurstRequest& request, std::string& scratch);

  /// Where the next chunk is wanted from.
  [[nodiscard]] Offset next() const { return burst_.next; }
  [[nodiscard]] bool has_moved() const { return burst_.next > request_.from; }
  /// Takes what matches of [next(), to), which `chunk` must hold and which is not empty. True:
  /// nothing can be added.
  bool take(const std::shared_ptr<const FrameChunk>& chunk, Offset to);
  /// What was collected; lives as long as the scratch.
  [[nodiscard]] Burst finish();

 private:
  bool take_view(const std::shared_ptr<const FrameChunk>& chunk, Offset to);
  bool take_copies(const FrameChunk& chunk, Offset to);

  const BurstRequest& request_;
  std::string& scratch_;
  const std::size_t scratch_begin_;
  Burst burst_;
};

}  // namespace vibes::consumers
