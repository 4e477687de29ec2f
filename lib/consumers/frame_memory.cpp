// SPDX-License-Identifier: MIT
#include "consumers/frame_memory.hpp"

#include <cstring>
#include <functional>
#include <utility>

#include "base/assert.hpp"

namespace vibes::consumers {

FrameMemory::FrameMemory(std::size_t capacity_bytes, PageStore::Block pages)
    : pages_(capacity_bytes <= PageStore::kBlockBytes ? std::move(pages) : PageStore::Block()),
      capacity_bytes_(pages_ ? PageStore::kBlockBytes : capacity_bytes),
      heap_(pages_ ? nullptr : std::make_unique_for_overwrite<char[]>(capacity_bytes_)),
      data_(pages_ ? pages_.data() : heap_.get()) {}

std::string_view FrameMemory::append(std::string_view bytes) {
  VIBES_ASSERT(used_ + bytes.size() <= capacity_bytes_);
  char* const to = data_ + used_;
  std::memcpy(to, bytes.data(), bytes.size());
  used_ += bytes.size();
  return {to, bytes.size()};
}

std::optional<FilePlace> FrameMemory::place(std::string_view bytes) const {
  const std::less<> before;
  if (!pages_ || bytes.empty() || before(bytes.data(), data_) ||
      !before(bytes.data(), data_ + capacity_bytes_)) {
    return std::nullopt;
  }
  return pages_.place(static_cast<std::size_t>(bytes.data() - data_));
}

}  // namespace vibes::consumers
