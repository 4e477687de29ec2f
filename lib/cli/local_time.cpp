// SPDX-License-Identifier: MIT
#include "cli/local_time.hpp"

#include <array>
#include <ctime>
#include <string_view>

#include <fmt/format.h>

namespace vibes::cli {
namespace {

std::tm local(Timestamp time) {
  const auto seconds = static_cast<std::time_t>(time.unix_us / 1'000'000);
  std::tm broken{};
  (void)localtime_r(&seconds, &broken);
  return broken;
}

}  // namespace

std::string local_time_short(Timestamp time) {
  // Month names are not the locale's, so that the columns hold and scripts can rely on them.
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm at = local(time);
  return fmt::format("{} {:02} {:02}:{:02}:{:02}.{:03}",
                     kMonths.at(static_cast<std::size_t>(at.tm_mon)), at.tm_mday, at.tm_hour,
                     at.tm_min, at.tm_sec, time.unix_us / 1'000 % 1'000);
}

std::string local_time_long(Timestamp time) {
  const std::tm at = local(time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at.tm_year + 1900, at.tm_mon + 1,
                     at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec);
}

}  // namespace vibes::cli
