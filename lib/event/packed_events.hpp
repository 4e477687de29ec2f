// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "event/event.hpp"

namespace vibes::event {

class PackedEvents;

/// Events of PackedEvents that stand next to each other. A view of them: valid until any is added
/// or taken out.
class PackedSlice {
 public:
  PackedSlice(const PackedEvents& events, std::size_t first, std::size_t size)
      : events_(&events), first_(first), size_(size) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] NewEventView operator[](std::size_t index) const;

 private:
  const PackedEvents* events_;
  std::size_t first_;
  std::size_t size_;
};

/// Checked events in one piece of memory, in the order they were added. A thousand of them are a
/// few allocations, where as many NewEvent are two thousand, and handing them on moves three
/// pointers. Not thread-safe.
class PackedEvents {
 public:
  [[nodiscard]] bool empty() const { return places_.empty(); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  /// The bytes of all of them: payloads, types and sessions.
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

  struct Room {
    std::size_t events = 0;
    std::size_t bytes = 0;
  };
  /// For so much in total.
  void reserve(const Room& room);
  /// Copies the bytes, which must not be of these events.
  void add(const NewEventView& event);
  /// Names an event that came without a name.
  void set_event_id(std::size_t index, const Uuid& event_id) { places_[index].event_id = event_id; }
  /// Drops the events from `count` on.
  void truncate(std::size_t count);
  /// Takes the first `count` out of it.
  PackedEvents take_front(std::size_t count);

  /// Valid until an event is added or taken out.
  [[nodiscard]] NewEventView operator[](std::size_t index) const {
    const Place& place = places_[index];
    const char* const type = bytes_.data() + place.begin;
    const char* const session = type + place.type_bytes;
    return {{session + place.session_bytes, place.payload_bytes},
            {type, place.type_bytes},
            {session, place.session_bytes},
            place.event_id};
  }
  [[nodiscard]] PackedSlice slice(std::size_t first, std::size_t size) const {
    return {*this, first, size};
  }

 private:
  /// Where in bytes_ an event is: its type, its session, its payload.
  struct Place {
    std::size_t begin = 0;
    std::uint32_t type_bytes = 0;
    std::uint32_t session_bytes = 0;
    std::uint32_t payload_bytes = 0;
    std::optional<Uuid> event_id;
  };

  std::string bytes_;
  std::vector<Place> places_;
};

inline NewEventView PackedSlice::operator[](std::size_t index) const {
  return (*events_)[first_ + index];
}

}  // namespace vibes::event
