// SPDX-License-Identifier: MIT
#include "eventlog/file/retention.hpp"

#include <algorithm>

namespace vibes::eventlog::file {

Offset retention_cut(const std::vector<SegmentInfo>& segments, const Retention& rules,
                     const std::map<std::string, Offset, std::less<>>& groups, Timestamp now) {
  std::uint64_t total = 0;
  for (const SegmentInfo& segment : segments) {
    total += segment.file_bytes;
  }
  Offset cut;
  for (const SegmentInfo& segment : segments) {
    const bool read_by_all =
        rules.beyond_groups || std::all_of(groups.begin(), groups.end(), [&](const auto& group) {
          return group.second >= segment.end;
        });
    const bool too_old =
        rules.age &&
        segment.last_time < Timestamp{now.unix_us - std::chrono::microseconds(*rules.age).count()};
    const bool too_much = rules.bytes && total > *rules.bytes;
    if (segment.state != SegmentInfo::State::sealed || !read_by_all || !(too_old || too_much)) {
      break;
    }
    cut = segment.end;
    total -= segment.file_bytes;
  }
  return cut;
}

}  // namespace vibes::eventlog::file
