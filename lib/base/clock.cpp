// SPDX-License-Identifier: MIT
#include "base/clock.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <sstream>

#include <date/date.h>

namespace vibes {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    timespec ts{};
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return Timestamp{ts.tv_sec * 1'000'000LL + ts.tv_nsec / 1000};
  }
  [[nodiscard]] std::int64_t steady_ns() const override {
    timespec ts{};
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1'000'000'000LL + ts.tv_nsec;
  }
};

void put_digits(char* out, unsigned value, unsigned width) {
  for (unsigned i = width; i > 0; --i) {
    out[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

/// Up to the dot behind the seconds.
void put_second(std::int64_t unix_s, char* out) {
  // The calendar is the library's; the digits are ours because this runs for events delivered.
  const date::sys_seconds at{std::chrono::seconds{unix_s}};
  const auto day = date::floor<date::days>(at);
  const date::year_month_day ymd{day};
  const date::hh_mm_ss<std::chrono::seconds> hms{at - day};
  put_digits(out, static_cast<unsigned>(static_cast<int>(ymd.year())), 4);
  out[4] = '-';
  put_digits(out + 5, static_cast<unsigned>(ymd.month()), 2);
  out[7] = '-';
  put_digits(out + 8, static_cast<unsigned>(ymd.day()), 2);
  out[10] = 'T';
  put_digits(out + 11, static_cast<unsigned>(hms.hours().count()), 2);
  out[13] = ':';
  put_digits(out + 14, static_cast<unsigned>(hms.minutes().count()), 2);
  out[16] = ':';
  put_digits(out + 17, static_cast<unsigned>(hms.seconds().count()), 2);
  out[19] = '.';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Z or +HH:MM. The library would read on behind a sign without digits.
bool ends_in_zone(std::string_view text) {
  constexpr std::string_view kOffset = "+00:00";
  if (text.back() == 'Z' || text.back() == 'z') {
    return true;
  }
  if (text.size() < kOffset.size()) {
    return false;
  }
  const std::string_view end = text.substr(text.size() - kOffset.size());
  return (end[0] == '+' || end[0] == '-') && is_digit(end[1]) && is_digit(end[2]) &&
         end[3] == ':' && is_digit(end[4]) && is_digit(end[5]);
}

bool looks_like_rfc3339(std::string_view text) {
  // The library's parser is lenient about widths and trailing text, and makes a number of what is
  // none; RFC 3339 is not.
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || text.size() > 40) {
    return false;
  }
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const char c = text[i];
    const bool fits = kForm[i] == '0'   ? is_digit(c)
                      : kForm[i] == 'T' ? c == 'T' || c == 't' || c == ' '
                                        : c == kForm[i];
    if (!fits) {
      return false;
    }
  }
  const std::string_view rest = text.substr(kForm.size());
  return (rest.front() != '.' || (rest.size() > 1 && is_digit(rest[1]))) && ends_in_zone(rest);
}

}  // namespace

void format_rfc3339(Timestamp time, char* out) {
  std::int64_t second = time.unix_us / kMicrosPerSecond;
  std::int64_t micros = time.unix_us % kMicrosPerSecond;
  if (micros < 0) {
    micros += kMicrosPerSecond;
    --second;
  }
  // Events come in the order of their times: the next one is mostly of the same second.
  struct Last {
    std::int64_t second = 0;
    std::array<char, 20> text{};
  };
  thread_local Last last;
  if (last.text[0] == '\0' || last.second != second) {
    put_second(second, last.text.data());
    last.second = second;
  }
  std::memcpy(out, last.text.data(), last.text.size());
  put_digits(out + last.text.size(), static_cast<unsigned>(micros), 6);
  out[26] = 'Z';
}

std::string format_rfc3339(Timestamp time) {
  std::string text(27, '\0');
  format_rfc3339(time, text.data());
  return text;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  if (!looks_like_rfc3339(text)) {
    return std::nullopt;
  }
  std::string copy(text);
  copy[10] = 'T';
  const bool utc = copy.back() == 'Z' || copy.back() == 'z';
  if (utc) {
    copy.back() = 'Z';
  }
  std::istringstream in(copy);
  date::sys_time<std::chrono::microseconds> at;
  in >> date::parse(utc ? "%FT%TZ" : "%FT%T%Ez", at);
  if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) {
    return std::nullopt;
  }
  return Timestamp{at.time_since_epoch().count()};
}

const Clock& system_clock() {
  static const SystemClock kClock;
  return kClock;
}

}  // namespace vibes
