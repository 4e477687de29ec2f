// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "event/event.hpp"
#include "event/packed_events.hpp"

namespace vibes::event {

/// Whether types that docs/protocol.md does not list may pass.
enum class UnknownTypes { pass, refuse };

/// Whether the fields of known types are looked at. Those who read what another version of this
/// program has checked must not: what it took counts, whatever it knew of types.
enum class KnownFields { check, ignore };

struct CheckOptions {
  UnknownTypes unknown_types = UnknownTypes::pass;
  KnownFields known_fields = KnownFields::check;
};

/// Checks one event (RFC 8259 JSON, UTF-8, an object, a string `type`, no duplicate keys at the top
/// level, depth and size limits, the fields of known types, `event_id` a UUID if given) and takes
/// out what the log keeps beside it. White space around the object is dropped; nothing else is
/// changed.
///
/// Errors: Errc::not_json, not_an_object, bad_utf8, too_large, too_deep, duplicate_key, bad_type,
/// bad_field, bad_event_id, unknown_type; the context says what, where (byte and column) and what
/// to do. Thread-safe.
Result<NewEvent> check(std::string_view json, const CheckOptions& options = {});

/// The same, at the end of `events`: all of the event, or nothing where it is refused.
Result<void> check_into(PackedEvents& events, std::string_view json,
                        const CheckOptions& options = {});

/// Several events and, where one of them is refused, which: `line` counts from 1 as a person would
/// (lines of NDJSON, elements of an array).
struct BatchError {
  std::size_t line = 0;
  Error error;
};

/// Checks NDJSON: one event per line, empty lines are skipped, the last line may lack its newline.
/// A text that is one event spread over lines is taken as that event. All or nothing. Exactly one
/// of the two results is filled: `refused` on failure.
struct CheckedBatch {
  PackedEvents events;
  std::optional<BatchError> refused;
};
CheckedBatch check_ndjson(std::string_view text, const CheckOptions& options = {});
/// Checks a JSON array of events, or a single event. The bytes of each element are kept as they
/// came.
CheckedBatch check_array(std::string_view text, const CheckOptions& options = {});

}  // namespace vibes::event
