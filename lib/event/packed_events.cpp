// SPDX-License-Identifier: MIT
#include "event/packed_events.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.hpp"

namespace vibes::event {

void PackedEvents::reserve(const Room& room) {
  places_.reserve(room.events);
  bytes_.reserve(room.bytes);
}

void PackedEvents::add(const NewEventView& event) {
  constexpr std::size_t kPartBytesMax = std::numeric_limits<std::uint32_t>::max();
  VIBES_ASSERT(std::max({event.type.size(), event.session.size(), event.payload.size()}) <=
               kPartBytesMax);
  places_.push_back({bytes_.size(), static_cast<std::uint32_t>(event.type.size()),
                     static_cast<std::uint32_t>(event.session.size()),
                     static_cast<std::uint32_t>(event.payload.size()), event.event_id});
  bytes_.append(event.type);
  bytes_.append(event.session);
  bytes_.append(event.payload);
}

void PackedEvents::truncate(std::size_t count) {
  if (count < places_.size()) {
    bytes_.resize(places_[count].begin);
    places_.resize(count);
  }
}

PackedEvents PackedEvents::take_front(std::size_t count) {
  if (count >= places_.size()) {
    return std::exchange(*this, {});
  }
  PackedEvents front;
  const std::size_t cut = places_[count].begin;
  const auto last = places_.begin() + static_cast<std::ptrdiff_t>(count);
  front.places_.assign(places_.begin(), last);
  front.bytes_.assign(bytes_, 0, cut);
  places_.erase(places_.begin(), last);
  bytes_.erase(0, cut);
  std::ranges::for_each(places_, [cut](Place& place) { place.begin -= cut; });
  return front;
}

}  // namespace vibes::event
