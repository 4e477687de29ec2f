// SPDX-License-Identifier: MIT
#include "event/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::event {
namespace {

std::string_view text_of(Errc code) {
  switch (code) {
    case Errc::not_json:
      return "not valid JSON";
    case Errc::not_an_object:
      return "an event is a JSON object";
    case Errc::bad_utf8:
      return "not valid UTF-8";
    case Errc::too_large:
      return "the event is too large";
    case Errc::too_deep:
      return "nested too deeply";
    case Errc::duplicate_key:
      return "the same key twice";
    case Errc::bad_type:
      return "an event needs a string \"type\"";
    case Errc::bad_field:
      return "a field of a known type is missing or of the wrong kind";
    case Errc::bad_event_id:
      return "\"event_id\" must be a UUID";
    case Errc::unknown_type:
      return "only known event types are taken here";
    case Errc::bad_filter:
      return "not a filter";
    case Errc::bad_cursor:
      return "not a cursor";
    case Errc::cursor_mismatch:
      return "the cursor is of another log, or of this one before it was reset";
    case Errc::empty_batch:
      return "a batch without events";
    case Errc::batch_too_large:
      return "the batch is too large";
  }
  return "unknown event error";
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("event", text_of);
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

std::string_view to_wire_code(Errc code) {
  switch (code) {
    case Errc::not_json:
      return "not_json";
    case Errc::not_an_object:
      return "not_an_object";
    case Errc::bad_utf8:
      return "bad_utf8";
    case Errc::too_large:
      return "too_large";
    case Errc::too_deep:
      return "too_deep";
    case Errc::duplicate_key:
      return "duplicate_key";
    case Errc::bad_type:
      return "bad_type";
    case Errc::bad_field:
      return "bad_field";
    case Errc::bad_event_id:
      return "bad_event_id";
    case Errc::unknown_type:
      return "unknown_type";
    case Errc::bad_filter:
      return "bad_filter";
    case Errc::bad_cursor:
      return "bad_cursor";
    case Errc::cursor_mismatch:
      return "cursor_mismatch";
    case Errc::empty_batch:
      return "empty_batch";
    case Errc::batch_too_large:
      return "batch_too_large";
  }
  return "invalid_event";
}

}  // namespace vibes::event
