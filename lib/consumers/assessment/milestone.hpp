// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace vibes::consumers::assessment {

/// What the output of a tool says about the work as a whole.
enum class Milestone : std::uint8_t { none, commit, passed, failed };

/// Reads the end of a tool's output, line by line, for what git, compilers and test runners print.
/// A failure outweighs a pass, a pass outweighs a commit. Tools that only show or change files
/// reach no milestone: a file may hold any text.
Milestone find_milestone(std::string_view tool_name, std::string_view output);

}  // namespace vibes::consumers::assessment
