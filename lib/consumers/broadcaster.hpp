// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "event/event.hpp"
#include "event/filter.hpp"

namespace vibes::consumers {

class WebsocketConsumer;

/// The right to publish. Only WebsocketConsumer can make one, so that any other call of
/// broadcast_event does not compile: every event reaches clients through the log.
class BroadcastPasskey {
 private:
  friend class WebsocketConsumer;
  BroadcastPasskey() = default;
};

/// The shared ring of recent events, each encoded once into the frame that goes on the wire. A
/// firehose client is a cursor: where it lies inside the ring it is served from here, where it lies
/// behind it reads the log and joins again. There is no queue per client and nothing is ever
/// dropped.
///
/// Thread-safe: one consumer writes, any number of net threads read.
class Broadcaster {
 public:
  Broadcaster() = default;
  Broadcaster(const Broadcaster&) = delete;
  Broadcaster& operator=(const Broadcaster&) = delete;

  /// Appends the event to the ring. Offsets are dense: each call is the one before plus one.
  void broadcast_event(BroadcastPasskey key, const event::EventView& event);
  /// Empties the ring and continues at `next`: what lies before is read from the log.
  void restart_at(BroadcastPasskey key, Offset next);

  [[nodiscard]] Offset ring_first() const;  // the oldest offset in the ring; ring_end() if empty
  [[nodiscard]] Offset ring_end() const;    // the next offset to be broadcast

  /// What a client gets in one turn.
  struct Burst {
    /// Complete WebSocket text frames (RFC 6455 §5.2, unmasked, FIN set), one per event, one after
    /// the other, to be sent as they are.
    std::string bytes;
    std::uint64_t events = 0;
    Offset next;  // where the client stands afterwards: past everything looked at, matching or not
  };

  /// Collects the frames from `from` on that match, at least one if there is one, at most
  /// `bytes_max` otherwise. Nothing if `from` is behind the ring: read the log. Empty bytes with
  /// next == ring_end(): caught up.
  [[nodiscard]] std::optional<Burst> collect(Offset from, const event::Filter& filter,
                                             std::size_t bytes_max) const;

 private:
  struct Frame {
    std::string bytes;  // header and text
    std::string type;
    std::string session;
  };

  mutable Mutex mutex_;
  std::deque<Frame> ring_ VIBES_GUARDED_BY(mutex_);
  Offset first_ VIBES_GUARDED_BY(mutex_);
  std::size_t ring_bytes_ VIBES_GUARDED_BY(mutex_) = 0;
};

/// Appends the RFC 6455 header of an unmasked, final text frame of `payload_bytes`.
void append_text_frame_header(std::string& out, std::size_t payload_bytes);

}  // namespace vibes::consumers
