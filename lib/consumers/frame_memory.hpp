// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/page_store.hpp"

namespace vibes::consumers {

/// Where frames are that are sent to many: one block of memory, filled from its front by one thread
/// and never changed behind that. Who reads must have been told by the writer how far it is filled.
class FrameMemory {
 public:
  /// From so many clients on memory is best taken from a PageStore: that costs more to fill, and
  /// less each time it is sent.
  static constexpr std::size_t kPagesFromClients = 8;

  /// Room for `capacity_bytes`. `pages`, if there are any and they suffice, are the memory, with
  /// all the room that they have.
  explicit FrameMemory(std::size_t capacity_bytes, PageStore::Block pages = {});
  FrameMemory(const FrameMemory&) = delete;
  FrameMemory& operator=(const FrameMemory&) = delete;

  [[nodiscard]] std::size_t capacity_bytes() const { return capacity_bytes_; }
  [[nodiscard]] const char* data() const { return data_; }

  /// The writer's: what is filled.
  [[nodiscard]] std::size_t used_bytes() const { return used_; }
  /// The writer's: must have room. Returns what was appended, where it is now.
  std::string_view append(std::string_view bytes);

  /// Where `bytes` are in a file; nothing: nowhere, or they are not of this memory.
  [[nodiscard]] std::optional<FilePlace> place(std::string_view bytes) const;

 private:
  const PageStore::Block pages_;  // or none, and then heap_ is the memory
  const std::size_t capacity_bytes_;
  const std::unique_ptr<char[]> heap_;
  char* const data_;
  std::size_t used_ = 0;
};

}  // namespace vibes::consumers
