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
#include <utility>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/page_store.hpp"
#include "consumers/burst.hpp"
#include "consumers/frame_chunk.hpp"
#include "event/event.hpp"
#include "event/filter.hpp"

namespace vibes::consumers {

class WebsocketConsumer;

/// The right to publish. Only WebsocketConsumer can make one, so that any other call of
/// broadcast_event does not compile: every event reaches clients through the log.
class BroadcastPasskey {
 private:
  friend class WebsocketConsumer;
  // A defaulted one would make this an aggregate that anybody can brace.
  BroadcastPasskey() {}  // NOLINT(modernize-use-equals-default)
};

/// The shared ring of recent events, each encoded once into the frame that goes on the wire. A
/// firehose client is a cursor: where it lies inside the ring it is served from here, where it lies
/// behind it reads the log and joins again. There is no queue per client and nothing is ever
/// dropped.
///
/// The ring is a list of chunks that are only appended to. A reader takes the lock once per burst,
/// to find and keep its chunk, never once per event; a client that wants everything gets a view of
/// the chunk's own bytes. A chunk that has left the ring lives until the last burst made from it is
/// gone.
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
  [[nodiscard]] Offset ring_end() const {   // the next offset to be broadcast; takes no lock
    return Offset(end_.load(std::memory_order_acquire));
  }
  /// What the ring's chunks occupy.
  [[nodiscard]] std::size_t ring_bytes() const;

  /// A client's presence. While there is none nothing is encoded. It must not outlive its
  /// broadcaster.
  class Attachment {
   public:
    Attachment() = default;
    explicit Attachment(std::atomic<std::size_t>* count) : count_(count) { ++*count_; }
    Attachment(Attachment&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Attachment& operator=(Attachment&& other) noexcept {
      std::swap(count_, other.count_);
      return *this;
    }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    ~Attachment() {
      if (count_ != nullptr) {
        --*count_;
      }
    }

   private:
    std::atomic<std::size_t>* count_ = nullptr;
  };
  [[nodiscard]] Attachment attach() { return Attachment(&clients_); }
  [[nodiscard]] std::size_t clients() const { return clients_.load(); }

  using Shape = BurstShape;
  using Request = BurstRequest;
  using Burst = consumers::Burst;

  /// Collects what matches, at least one event if there is one and at most `bytes_max` bytes
  /// otherwise; it may be less than there is, so ask again until next reaches ring_end() or
  /// `until`. Nothing if `from` is behind the ring: read the log. What cannot be a view of a chunk
  /// is appended to `scratch`, which must live as long as the burst.
  [[nodiscard]] std::optional<Burst> collect(const Request& request, std::string& scratch) const;

  /// The first offset from `from` on that matches, or ring_end() (or `from`, if it is beyond).
  /// Nothing if `from` is behind the ring.
  [[nodiscard]] std::optional<Offset> next_match(Offset from, const event::Filter& filter) const;

 private:
  using ChunkPtr = std::shared_ptr<FrameChunk>;  // shared: readers keep what the ring lets go

  [[nodiscard]] std::shared_ptr<const FrameChunk> find(Offset offset) const;
  void start_chunk(const event::EventView& first);

  // The ring's, and as many again of bursts that are not gone yet.
  PageStore pages_{2 * limits::kRingBytesMax / PageStore::kBlockBytes};
  mutable Mutex mutex_;
  std::deque<ChunkPtr> chunks_ VIBES_GUARDED_BY(mutex_);  // ascending, without gaps
  std::size_t ring_bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  ChunkPtr newest_;  // the writer's: chunks_.back()
  std::atomic<std::uint64_t> end_{0};
  std::atomic<std::size_t> clients_{0};
};

}  // namespace vibes::consumers
