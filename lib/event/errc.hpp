// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <system_error>

namespace vibes::event {

/// Why an event, a filter or a cursor was refused. On the wire each has its name in snake case,
/// to_wire_code().
enum class Errc {
  not_json = 1,     // not RFC 8259 JSON
  not_an_object,    // JSON, but an event is an object
  bad_utf8,         // not UTF-8
  too_large,        // over limits::kEventBytesMax
  too_deep,         // nested deeper than limits::kEventDepthMax
  duplicate_key,    // the same key twice at the top level
  bad_type,         // `type` is missing, not a string, empty or too long
  bad_field,        // a known type lacks a field, or the field is of the wrong kind
  bad_event_id,     // `event_id` is no UUID
  unknown_type,     // refused because only known types were asked for
  bad_filter,       // a filter that cannot be understood
  bad_cursor,       // no cursor of ours
  cursor_mismatch,  // a cursor of another log, or of this one before it was reset or cut
  empty_batch,      // a batch without events
  batch_too_large,  // over limits::kBatchBytesMax or kBatchEventsMax
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);
/// The enumerator's name, which is what `code` says on the wire.
std::string_view to_wire_code(Errc code);

}  // namespace vibes::event

template <>
struct std::is_error_code_enum<vibes::event::Errc> : std::true_type {};
