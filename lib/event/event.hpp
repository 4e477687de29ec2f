// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/uuid.hpp"

namespace vibes::event {

/// The five kinds of event a client can ask for by name. A type belongs to exactly one category
/// (docs/protocol.md, "Events"); a type we do not know is custom.
enum class Category : std::uint8_t { claude, session, hook, assessment, custom };

std::string_view to_string(Category category);
/// Case-insensitive.
std::optional<Category> parse_category(std::string_view name);
Category category_of(std::string_view type);

/// An event that has been checked and may be appended. It owns its bytes.
struct NewEvent {
  /// As the producer sent it, byte for byte: unknown members, number spellings and key order
  /// survive.
  std::string payload;
  /// The event's `type`, 1 to limits::kTypeBytesMax bytes. Kept beside the payload, so that no
  /// reader has to parse JSON to filter.
  std::string type;
  /// The session the event belongs to, empty if none, at most limits::kSessionBytesMax bytes: the
  /// member `session_id`, for a hook without one the `session_id` of its inner event.
  std::string session;
  /// The producer's event_id, which makes the append idempotent; without one the log assigns one.
  std::optional<Uuid> event_id;
};

/// A NewEvent that owns nothing: it lives as long as the bytes it shows.
struct NewEventView {
  std::string_view payload;
  std::string_view type;
  std::string_view session;
  std::optional<Uuid> event_id;
};

[[nodiscard]] inline NewEventView view_of(const NewEvent& event) {
  return {event.payload, event.type, event.session, event.event_id};
}
[[nodiscard]] inline NewEvent copy_of(const NewEventView& event) {
  return {std::string(event.payload), std::string(event.type), std::string(event.session),
          event.event_id};
}

/// A stored event with its envelope. A view: it lives as long as the read that returned it says.
struct EventView {
  Offset offset;
  Uuid event_id;
  Timestamp time;  // when it was appended; never goes backwards within a log
  std::string_view type;
  std::string_view session;  // empty: none
  std::string_view payload;
};

}  // namespace vibes::event
