// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

namespace vibes::eventlog {

enum class Errc {
  queue_full = 1,     // limits::kAppendQueueBytesMax wait already; try again
  closed,             // the log has been closed
  batch_too_large,    // over limits::kBatchBytesMax or kBatchEventsMax
  event_id_conflict,  // that event_id is taken by another payload
  storage_full,       // no space; appends are taken again when there is some
  failed,             // the log failed and takes no more appends in this process
  indeterminate,      // it is unknown whether this append is on disk; retry with the same event_id
  corrupt,            // bytes on disk are not what was written; the context names file and position
  locked,             // another process has this log open
  foreign,            // the directory holds something that is no log of ours
  unsupported_format,  // written by a newer version
  not_found,           // no event with this event_id, no such group
  out_of_range,        // a position past the end of the log
  bad_group_name,      // not [a-z0-9._-]{1,128}
  too_many_groups,     // over limits::kGroupsMax
  bad_commit,          // a commit past the end of the log
  bad_url,             // no log URL of ours
  group_held,          // another process that shares this log has the group
  unreachable,         // the engine does not answer
  unauthorized,        // the engine does not let us in
  other_settings,      // the engine has this stream with settings that will not do
  not_next,            // another writer's message came first; this one is not in the stream
};

const std::error_category& error_category();
std::error_code make_error_code(Errc code);

}  // namespace vibes::eventlog

template <>
struct std::is_error_code_enum<vibes::eventlog::Errc> : std::true_type {};
