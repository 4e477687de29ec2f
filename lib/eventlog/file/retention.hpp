// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eventlog/file/segment_store.hpp"
#include "eventlog/open.hpp"

namespace vibes::eventlog::file {

struct RetentionInput {
  Retention rules;
  std::map<std::string, Offset, std::less<>> groups;
  Timestamp now;
};

/// The offset before which whole segments may go: by age or by size, never the segment being
/// written, never past the slowest group unless the rules say so.
Offset retention_cut(const std::vector<SegmentInfo>& segments, const RetentionInput& input);

/// Whether all events of the segment being written are too old, so that it has only to be sealed to
/// go. Where the disk's size is the rule it stays: its space is given back only with the next.
bool active_is_due(const std::vector<SegmentInfo>& segments, const RetentionInput& input);

}  // namespace vibes::eventlog::file
