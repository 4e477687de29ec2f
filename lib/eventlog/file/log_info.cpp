// SPDX-License-Identifier: MIT
#include "eventlog/file/log_info.hpp"

#include <algorithm>

#include "eventlog/errc.hpp"
#include "eventlog/file/durable_slots.hpp"
#include "eventlog/file/file_group_offsets.hpp"
#include "eventlog/file/log_directory.hpp"
#include "eventlog/file/recovery.hpp"

namespace vibes::eventlog::file {
namespace {

void add_segment(LogInfo& info, const Layout& layout, const SegmentInfo& segment) {
  LogInfo::Segment out;
  out.path = layout.segment(segment.header.first);
  out.number = segment.header.number;
  out.first = segment.header.first;
  out.end = segment.end;
  out.bytes = segment.file_bytes;
  out.epoch = segment.header.epoch;
  out.sealed = segment.state == SegmentInfo::State::sealed;
  out.first_time = segment.first_time;
  out.last_time = segment.last_time;
  info.bytes += out.bytes;
  if (out.end > out.first) {
    if (info.first_time == Timestamp{}) {
      info.first_time = out.first_time;
    }
    info.last_time = out.last_time;
  }
  info.segments.push_back(std::move(out));
}

}  // namespace

Result<LogInfo> read_log_info(io::FileSystem& fs, const std::string& directory) {
  const Layout layout(directory);
  VIBES_TRY_ASSIGN(ours, holds_log(fs, layout));
  if (!ours) {
    return fail(Errc::foreign, directory);
  }
  VIBES_TRY_ASSIGN(mark, read_durable_mark(fs, layout.durable()));
  VIBES_TRY_ASSIGN(recovered, recover(fs, layout, RecoveryMode::look));
  if (!recovered.log_id) {
    return fail(Errc::foreign, directory + " has no segments");
  }
  LogInfo info;
  info.log_id = *recovered.log_id;
  info.directory = directory;
  info.first = recovered.first;
  info.end = recovered.end;
  info.epoch = recovered.epoch;
  info.note = recovered.report;
  for (const SegmentInfo& segment : recovered.sealed) {
    add_segment(info, layout, segment);
  }
  if (recovered.active) {
    add_segment(info, layout, recovered.active->info);
  }
  if (mark) {
    info.durable = LogInfo::Durable{mark->end, mark->epoch, mark->generation, mark->written,
                                    mark->state == format::SlotState::closed};
  }
  VIBES_TRY_ASSIGN(groups, FileGroupOffsets::open(fs, layout, info.log_id, info.end,
                                                  FileGroupOffsets::Access::read_only,
                                                  FileGroupOffsets::BeyondEnd::clamp));
  info.groups = groups->all();
  return info;
}

}  // namespace vibes::eventlog::file
