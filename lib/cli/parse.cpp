// SPDX-License-Identifier: MIT
#include "cli/parse.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <string>

namespace vibes::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor = 1;
};

constexpr double kSecond = 1'000;  // in milliseconds
constexpr std::array<Unit, 16> kDurationUnits{{{"ms", 1},
                                               {"", kSecond},
                                               {"s", kSecond},
                                               {"sec", kSecond},
                                               {"m", 60 * kSecond},
                                               {"min", 60 * kSecond},
                                               {"h", 3'600 * kSecond},
                                               {"hour", 3'600 * kSecond},
                                               {"hours", 3'600 * kSecond},
                                               {"d", 86'400 * kSecond},
                                               {"day", 86'400 * kSecond},
                                               {"days", 86'400 * kSecond},
                                               {"w", 604'800 * kSecond},
                                               {"week", 604'800 * kSecond},
                                               {"weeks", 604'800 * kSecond},
                                               {"minutes", 60 * kSecond}}};

constexpr double kKi = 1'024;
constexpr std::array<Unit, 14> kSizeUnits{{{"", 1},
                                           {"b", 1},
                                           {"k", kKi},
                                           {"kb", kKi},
                                           {"kib", kKi},
                                           {"m", kKi* kKi},
                                           {"mb", kKi* kKi},
                                           {"mib", kKi* kKi},
                                           {"g", kKi* kKi* kKi},
                                           {"gb", kKi* kKi* kKi},
                                           {"gib", kKi* kKi* kKi},
                                           {"t", kKi* kKi* kKi* kKi},
                                           {"tb", kKi* kKi* kKi* kKi},
                                           {"tib", kKi* kKi* kKi* kKi}}};

/// Above this nothing people mean is left, and every result fits its integer.
constexpr double kLargest = 1e15;

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
}

/// Takes a number and its unit from the front of `text`; nothing if there is none.
template <std::size_t N>
std::optional<double> take_quantity(std::string_view& text, const std::array<Unit, N>& units) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !(number >= 0)) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  skip_spaces(text);
  std::string name;
  while (!text.empty() && ((text.front() | 0x20) >= 'a' && (text.front() | 0x20) <= 'z')) {
    name += static_cast<char>(text.front() | 0x20);
    text.remove_prefix(1);
  }
  skip_spaces(text);
  for (const Unit& unit : units) {
    if (unit.name == name && number * unit.factor < kLargest) {
      return number * unit.factor;
    }
  }
  return std::nullopt;
}

Unexpected invalid(std::string_view text, std::string_view expected) {
  return fail(std::make_error_code(std::errc::invalid_argument),
              "'" + std::string(text) + "' is not " + std::string(expected));
}

constexpr std::string_view kTimeHelp =
    "a time: use RFC 3339, 'YYYY-MM-DD [HH:MM[:SS]]', 'HH:MM', now, today, yesterday or -1h";

Timestamp from_local(std::tm broken) {
  broken.tm_isdst = -1;
  return Timestamp{static_cast<std::int64_t>(std::mktime(&broken)) * 1'000'000};
}

std::tm local(Timestamp time) {
  const auto seconds = static_cast<std::time_t>(time.unix_us / 1'000'000);
  std::tm broken{};
  (void)localtime_r(&seconds, &broken);
  return broken;
}

Timestamp midnight(Timestamp now, int days_later) {
  std::tm broken = local(now);
  broken.tm_hour = broken.tm_min = broken.tm_sec = 0;
  broken.tm_mday += days_later;
  return from_local(broken);
}

std::optional<Timestamp> parse_local(const std::string& text, Timestamp now) {
  for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
                             "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M"}) {
    const bool names_a_day = format[1] == 'Y';
    std::tm broken = names_a_day ? std::tm{} : local(now);
    broken.tm_hour = broken.tm_min = broken.tm_sec = 0;
    const char* end = ::strptime(text.c_str(), format, &broken);
    if (end != nullptr && *end == '\0') {
      return from_local(broken);
    }
  }
  return std::nullopt;
}

std::optional<Timestamp> parse_relative(std::string_view text, Timestamp now) {
  constexpr std::string_view kAgo = " ago";
  std::int64_t sign = 0;
  if (text.starts_with('-') || text.starts_with('+')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  } else if (text.ends_with(kAgo)) {
    sign = -1;
    text.remove_suffix(kAgo.size());
  } else {
    return std::nullopt;
  }
  const auto distance = parse_duration(text);
  if (!distance) {
    return std::nullopt;
  }
  return Timestamp{now.unix_us + sign * distance->count() * 1'000};
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::string_view rest = text;
  double total = 0;
  do {
    const auto part = take_quantity(rest, kDurationUnits);
    if (!part) {
      return invalid(text, "a duration: use a number of seconds, or 250ms, 30s, 5m, 2h30m, 7d");
    }
    total += *part;
  } while (!rest.empty());
  return std::chrono::milliseconds{std::llround(total)};
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto bytes = take_quantity(rest, kSizeUnits);
  if (!bytes || !rest.empty()) {
    return invalid(text, "a size: use a number of bytes, or 64KiB, 10MiB, 2GiB");
  }
  return static_cast<std::uint64_t>(*bytes);
}

Result<Timestamp> parse_time(std::string_view text, Timestamp now) {
  if (const auto time = parse_rfc3339(text)) {
    return *time;
  }
  if (text == "now") {
    return now;
  }
  if (text == "today" || text == "yesterday") {
    return midnight(now, text == "today" ? 0 : -1);
  }
  if (const auto time = parse_relative(text, now)) {
    return *time;
  }
  if (const auto time = parse_local(std::string(text), now)) {
    return *time;
  }
  return invalid(text, kTimeHelp);
}

}  // namespace vibes::cli
