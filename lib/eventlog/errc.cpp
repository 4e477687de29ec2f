// SPDX-License-Identifier: MIT
#include "eventlog/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::eventlog {
namespace {

std::string_view text_of(Errc code) {
  switch (code) {
    case Errc::queue_full:
      return "the append queue is full; try again";
    case Errc::closed:
      return "the log is closed for appends";
    case Errc::batch_too_large:
      return "the batch is too large";
    case Errc::event_id_conflict:
      return "this event_id is taken by an event with another payload";
    case Errc::storage_full:
      return "no space left for the log; appends are taken again when there is some";
    case Errc::failed:
      return "the log failed and takes no more appends until it is opened again";
    case Errc::indeterminate:
      return "it is unknown whether this append is on disk; send it again with the same event_id";
    case Errc::corrupt:
      return "the log is damaged";
    case Errc::locked:
      return "another process has this log open";
    case Errc::foreign:
      return "this is not a log of vibes";
    case Errc::unsupported_format:
      return "the log was written by a newer version";
    case Errc::not_found:
      return "not found";
    case Errc::out_of_range:
      return "past the end of the log";
    case Errc::bad_group_name:
      return "not a group name; use 1 to 128 of a-z 0-9 . _ -";
    case Errc::too_many_groups:
      return "too many groups";
    case Errc::bad_commit:
      return "a commit past the end of the log";
    case Errc::bad_url:
      return "not a log URL";
    case Errc::group_held:
      return "another server has this group";
    case Errc::unreachable:
      return "the engine cannot be reached";
    case Errc::unauthorized:
      return "the engine refuses these credentials";
    case Errc::other_settings:
      return "the stream has other settings";
    case Errc::not_next:
      return "another message came first";
  }
  return "unknown error";
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("eventlog", text_of);
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

}  // namespace vibes::eventlog
