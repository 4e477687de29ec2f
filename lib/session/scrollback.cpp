// SPDX-License-Identifier: MIT
#include "session/scrollback.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace vibes::session {

namespace {

// A line of a terminal is rarely longer; a stream without lines starts where it was cut.
constexpr std::uint64_t kLineSearchBytes = 4096;

}  // namespace

Scrollback::Scrollback(std::size_t capacity) : capacity_(capacity) { VIBES_ASSERT(capacity > 0); }

void Scrollback::append(std::string_view bytes) {
  if (!ring_) {
    ring_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  const std::uint64_t end = end_ + bytes.size();
  if (bytes.size() > capacity_) {
    bytes.remove_prefix(bytes.size() - capacity_);
  }
  const auto index = static_cast<std::size_t>((end - bytes.size()) % capacity_);
  const std::size_t first = std::min(bytes.size(), capacity_ - index);
  std::memcpy(ring_.get() + index, bytes.data(), first);
  std::memcpy(ring_.get(), bytes.data() + first, bytes.size() - first);
  end_ = end;
  begin_ = std::max(begin_, end_ > capacity_ ? end_ - capacity_ : 0);
}

void Scrollback::clear() {
  ring_.reset();
  begin_ = end_;
}

std::string Scrollback::copy(std::uint64_t from, std::uint64_t to) const {
  VIBES_ASSERT(begin_ <= from && from <= to && to <= end_);
  const auto size = static_cast<std::size_t>(to - from);
  if (size == 0) {
    return {};
  }
  std::string bytes(size, '\0');
  const auto index = static_cast<std::size_t>(from % capacity_);
  const std::size_t first = std::min(size, capacity_ - index);
  std::memcpy(bytes.data(), ring_.get() + index, first);
  std::memcpy(bytes.data() + first, ring_.get(), size - first);
  return bytes;
}

std::uint64_t Scrollback::clean_start(std::uint64_t from) const {
  from = std::max(from, begin_);
  if (from == 0) {
    return from;
  }
  const std::uint64_t limit = std::min(end_, from + kLineSearchBytes);
  for (std::uint64_t position = from; position < limit; ++position) {
    if (at(position) == '\n') {
      return position + 1;
    }
  }
  // No line: at least no half character.
  std::uint64_t position = from;
  while (position < limit && (static_cast<unsigned char>(at(position)) & 0xC0U) == 0x80U) {
    ++position;
  }
  return position;
}

std::size_t incomplete_utf8_tail(std::string_view bytes) {
  const std::size_t longest = std::min<std::size_t>(3, bytes.size());
  for (std::size_t back = 1; back <= longest; ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U) {
      continue;
    }
    const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace vibes::session
