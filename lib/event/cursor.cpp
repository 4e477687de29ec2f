// SPDX-License-Identifier: MIT
#include "event/cursor.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "event/errc.hpp"

namespace vibes::event {
namespace {

constexpr std::string_view kVersion = "v1.";
constexpr std::size_t kUuidBytes = 36;

template <class Number>
bool read_number(std::string_view text, int base, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Cursor> read_cursor(std::string_view text) {
  if (!text.starts_with(kVersion)) {
    return std::nullopt;
  }
  text.remove_prefix(kVersion.size());
  const auto log_id = parse_uuid(text.substr(0, kUuidBytes));
  if (!log_id || text.size() <= kUuidBytes || text[kUuidBytes] != '.') {
    return std::nullopt;
  }
  text.remove_prefix(kUuidBytes + 1);
  const std::size_t dot = text.find('.');
  std::uint64_t next = 0;
  Cursor cursor;
  if (dot == std::string_view::npos || !read_number(text.substr(0, dot), 10, next) ||
      !read_number(text.substr(dot + 1), 16, cursor.check)) {
    return std::nullopt;
  }
  cursor.log_id = *log_id;
  cursor.next = Offset(next);
  return cursor;
}

}  // namespace

std::uint32_t cursor_check(const EventView& before) {
  std::array<char, sizeof(std::uint64_t) + sizeof(Uuid)> head{};
  store_le(head.data(), before.offset.value());
  std::memcpy(head.data() + sizeof(std::uint64_t), before.event_id.bytes.data(),
              before.event_id.bytes.size());
  const std::uint32_t sum =
      crc32c(before.payload, crc32c(std::string_view(head.data(), head.size())));
  return sum == 0 ? 1 : sum;  // 0 stands for the beginning
}

std::string to_string(const Cursor& cursor) {
  return fmt::format("{}{}.{}.{:08x}", kVersion, to_string(cursor.log_id), cursor.next.value(),
                     cursor.check);
}

Result<Cursor> parse_cursor(std::string_view text) {
  const auto cursor = read_cursor(text);
  // Only what we would write ourselves: a cursor has one spelling.
  if (!cursor || to_string(*cursor) != text || (cursor->next == Offset{} && cursor->check != 0)) {
    return fail(Errc::bad_cursor, "a cursor looks like v1.<log id>.<offset>.<check>");
  }
  return *cursor;
}

}  // namespace vibes::event
