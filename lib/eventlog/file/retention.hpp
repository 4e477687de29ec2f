// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eventlog/file/segment_store.hpp"
#include "eventlog/open.hpp"

namespace vibes::eventlog::file {

/// The offset before which whole segments may go: by age or by size, never the segment being
/// written, never past the slowest group unless the rules say so.
Offset retention_cut(const std::vector<SegmentInfo>& segments, const Retention& rules,
                     const std::map<std::string, Offset, std::less<>>& groups, Timestamp now);

}  // namespace vibes::eventlog::file
