// SPDX-License-Identifier: MIT
#include "eventlog/file/layout.hpp"

#include <charconv>

namespace vibes::eventlog::file {
namespace {

constexpr std::size_t kDigits = 20;
constexpr std::string_view kSegmentEnding = ".seg";

}  // namespace

std::optional<Offset> Layout::parse_segment_name(std::string_view name) {
  if (name.size() != kDigits + kSegmentEnding.size() || !name.ends_with(kSegmentEnding)) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + kDigits, value);
  if (error != std::errc{} || rest != name.data() + kDigits) {
    return std::nullopt;
  }
  return Offset(value);
}

std::string Layout::digits(Offset first) {
  const std::string value = std::to_string(first.value());
  return std::string(kDigits - value.size(), '0') + value;
}

}  // namespace vibes::eventlog::file
