// SPDX-License-Identifier: MIT
#include "eventlog/file/retention.hpp"

#include <algorithm>

namespace vibes::eventlog::file {
namespace {

bool is_read_by_all(const SegmentInfo& segment, const RetentionInput& input) {
  return input.rules.beyond_groups ||
         std::all_of(input.groups.begin(), input.groups.end(),
                     [&](const auto& group) { return group.second >= segment.end; });
}

bool is_too_old(const SegmentInfo& segment, const RetentionInput& input) {
  return input.rules.age &&
         segment.last_time <
             Timestamp{input.now.unix_us - std::chrono::microseconds(*input.rules.age).count()};
}

}  // namespace

Offset retention_cut(const std::vector<SegmentInfo>& segments, const RetentionInput& input) {
  std::uint64_t total = 0;
  for (const SegmentInfo& segment : segments) {
    total += segment.file_bytes;
  }
  Offset cut;
  for (const SegmentInfo& segment : segments) {
    const bool too_much = input.rules.bytes && total > *input.rules.bytes;
    if (segment.state != SegmentInfo::State::sealed || !is_read_by_all(segment, input) ||
        !(is_too_old(segment, input) || too_much)) {
      break;
    }
    cut = segment.end;
    total -= segment.file_bytes;
  }
  return cut;
}

bool active_is_due(const std::vector<SegmentInfo>& segments, const RetentionInput& input) {
  if (segments.empty()) {
    return false;
  }
  const SegmentInfo& last = segments.back();
  return last.state == SegmentInfo::State::active && last.end > last.header.first &&
         is_too_old(last, input) && is_read_by_all(last, input);
}

}  // namespace vibes::eventlog::file
