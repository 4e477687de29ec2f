// SPDX-License-Identifier: MIT
#include "consumers/assessment/milestone.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/limits.hpp"

namespace vibes::consumers::assessment {
namespace {

constexpr std::size_t kReadBytes = 8 * limits::kKiB;  // programs sum up at the end

constexpr std::array<std::string_view, 12> kShowing{
    "Read",  "Grep",     "Glob",      "LS",   "Edit",         "MultiEdit",
    "Write", "WebFetch", "WebSearch", "Task", "NotebookEdit", "TodoWrite"};

constexpr std::array<std::string_view, 9> kFailedStarts{
    "error[E",   "error: could not compile", "FAILED",       "FAIL",    "--- FAIL",
    "make: ***", "ninja: build stopped",     "BUILD FAILED", "npm ERR!"};
constexpr std::array<std::string_view, 7> kPassedWithin{
    "test result: ok",   "BUILD SUCCESSFUL", "Build succeeded", "Build successful",
    "100% tests passed", "All tests passed", "all tests passed"};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool contains(std::string_view line, std::string_view what) {
  return line.find(what) != std::string_view::npos;
}

/// "3 passed" with a number above 0.
bool counts(std::string_view line, std::string_view what) {
  for (std::size_t at = line.find(what); at != std::string_view::npos;
       at = line.find(what, at + 1)) {
    std::size_t digit = at;
    while (digit > 0 && is_digit(line[digit - 1])) {
      --digit;
    }
    if (line.substr(digit, at - digit).find_first_not_of('0') != std::string_view::npos &&
        digit < at) {
      return true;
    }
  }
  return false;
}

/// git: "[main 5be20c7] message", "[main (root-commit) 5be20c7] message".
bool is_commit(std::string_view line) {
  const std::size_t end = line.find(']');
  if (!line.starts_with('[') || end == std::string_view::npos || line.substr(end + 1, 1) != " ") {
    return false;
  }
  const std::size_t space = line.rfind(' ', end);
  if (space == std::string_view::npos || space < 2) {
    return false;
  }
  const std::string_view hash = line.substr(space + 1, end - space - 1);
  return hash.size() >= 7 && hash.size() <= 64 &&
         hash.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// go: "ok  	example.org/tiles	0.5s".
bool is_go_pass(std::string_view line) { return line.starts_with("ok  \t"); }

bool starts_with_word(std::string_view line, std::string_view word) {
  return line.starts_with(word) &&
         (line.size() == word.size() || word.back() != 'L' || line[word.size()] == ' ' ||
          line[word.size()] == '\t' || line[word.size()] == ':');
}

Milestone judge(std::string_view line) {
  const auto within = [line](std::string_view what) { return contains(line, what); };
  if (std::ranges::any_of(kFailedStarts,
                          [line](auto word) { return starts_with_word(line, word); }) ||
      within("test result: FAILED") || counts(line, " failed") || counts(line, " tests failed")) {
    return Milestone::failed;
  }
  if (std::ranges::any_of(kPassedWithin, within) || counts(line, " passed") || is_go_pass(line)) {
    return Milestone::passed;
  }
  return is_commit(line) ? Milestone::commit : Milestone::none;
}

}  // namespace

Milestone find_milestone(std::string_view tool_name, std::string_view output) {
  if (std::ranges::find(kShowing, tool_name) != kShowing.end()) {
    return Milestone::none;
  }
  output.remove_prefix(output.size() - std::min(output.size(), kReadBytes));
  auto found = Milestone::none;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    std::string_view line = output.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    found = std::max(found, judge(line));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return found;
}

}  // namespace vibes::consumers::assessment
