// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::consumers::assessment {

/// What a model said.
struct ModelAnswer {
  std::string summary;                 // not empty, at most kSummaryBytesMax
  std::optional<std::string> outcome;  // one of the names of SessionOutcome
};

inline constexpr std::size_t kSummaryBytesMax = 2'048;  // the rest is cut off

/// Finds the answer in what a command printed: the first JSON object that has a summary, alone, in
/// a fence or with text around it. Errors: Errc::bad_answer, saying what is wrong with it.
Result<ModelAnswer> read_answer(std::string_view printed);

}  // namespace vibes::consumers::assessment
