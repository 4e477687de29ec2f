// SPDX-License-Identifier: MIT
#include "text_diff.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

namespace vibes::ctl {
namespace {

constexpr std::size_t kContext = 3;
constexpr std::size_t kCellsMax = 16U << 20U;  // of the table below

/// One line of the diff: of both texts (' '), only of the old one ('-') or the new one ('+').
struct Line {
  char mark;
  std::string_view text;  // with its line break
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    lines.push_back(line);
    text.remove_prefix(line.size());
  }
  return lines;
}

/// lengths[i][j]: how many lines the ends of both from i and j on have in common, in order.
class CommonLines {
 public:
  CommonLines(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b)
      : width_(b.size() + 1), lengths_((a.size() + 1) * width_) {
    for (std::size_t i = a.size(); i-- > 0;) {
      for (std::size_t j = b.size(); j-- > 0;) {
        lengths_[i * width_ + j] =
            a[i] == b[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  [[nodiscard]] std::uint32_t at(std::size_t i, std::size_t j) const {
    return lengths_[i * width_ + j];
  }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> lengths_;
};

std::vector<Line> compare(const std::vector<std::string_view>& a,
                          const std::vector<std::string_view>& b) {
  std::vector<Line> lines;
  std::size_t i = 0;
  std::size_t j = 0;
  if (a.size() * b.size() <= kCellsMax) {
    const CommonLines common(a, b);
    while (i < a.size() && j < b.size()) {
      if (a[i] == b[j]) {
        lines.push_back({' ', a[i]});
        ++i, ++j;
      } else if (common.at(i + 1, j) >= common.at(i, j + 1)) {
        lines.push_back({'-', a[i++]});
      } else {
        lines.push_back({'+', b[j++]});
      }
    }
  }
  for (; i < a.size(); ++i) {
    lines.push_back({'-', a[i]});
  }
  for (; j < b.size(); ++j) {
    lines.push_back({'+', b[j]});
  }
  return lines;
}

/// Whether a change is near enough to line `at` for it to be shown.
bool is_shown(const std::vector<Line>& lines, std::size_t at) {
  const std::size_t begin = at < kContext ? 0 : at - kContext;
  const std::size_t end = std::min(at + kContext + 1, lines.size());
  return std::any_of(lines.begin() + static_cast<std::ptrdiff_t>(begin),
                     lines.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Line& line) { return line.mark != ' '; });
}

std::string hunk(const std::vector<Line>& lines, std::size_t begin, std::size_t end) {
  const auto count = [&](std::size_t from, std::size_t to, char other) {
    return std::count_if(lines.begin() + static_cast<std::ptrdiff_t>(from),
                         lines.begin() + static_cast<std::ptrdiff_t>(to),
                         [&](const Line& line) { return line.mark != other; });
  };
  const auto range = [&](char other) {
    const auto before = count(0, begin, other);
    const auto size = count(begin, end, other);
    return fmt::format("{},{}", before + (size > 0 ? 1 : 0), size);
  };
  std::string text = fmt::format("@@ -{} +{} @@\n", range('+'), range('-'));
  for (std::size_t i = begin; i < end; ++i) {
    text += lines[i].mark;
    text += lines[i].text;
    if (!lines[i].text.ends_with('\n')) {
      text += "\n\\ No newline at end of file\n";
    }
  }
  return text;
}

}  // namespace

std::string unified_diff(const std::string& name, std::string_view before, std::string_view after) {
  if (before == after) {
    return {};
  }
  const std::vector<Line> lines = compare(lines_of(before), lines_of(after));
  std::string text = "--- " + name + "\n+++ " + name + "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::size_t end = i;
    while (end < lines.size() && is_shown(lines, end)) {
      ++end;
    }
    if (end > i) {
      text += hunk(lines, i, end);
      i = end;
    }
  }
  return text;
}

}  // namespace vibes::ctl
