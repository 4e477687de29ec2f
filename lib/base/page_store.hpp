// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/types.h>

namespace vibes {

/// Where bytes are in a file, for sendfile().
struct FilePlace {
  int fd = -1;
  off_t offset = 0;
};

/// Memory of which a socket sends the pages themselves: sendfile() from the store's file, which has
/// no name, takes no copy. So that what is on its way never changes, pages are written once and
/// never used again: a block that is given back gives its pages back to the kernel, which keeps
/// them until the last socket has sent them. Thread-safe.
class PageStore {
  struct State;

 public:
  static constexpr std::size_t kBlockBytes = 64U << 10U;

  /// Holds `blocks_max` blocks at most. Nothing is taken from the kernel before the first one.
  explicit PageStore(std::size_t blocks_max);
  PageStore(const PageStore&) = delete;
  PageStore& operator=(const PageStore&) = delete;
  ~PageStore();

  /// kBlockBytes of zeros. May outlive its store. One that is empty has no memory.
  class Block {
   public:
    Block() = default;
    Block(Block&& other) noexcept;
    Block& operator=(Block&& other) noexcept;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block();

    explicit operator bool() const { return state_ != nullptr; }
    [[nodiscard]] char* data() const;
    /// Where in the store's file the byte is that data() has at `index`.
    [[nodiscard]] FilePlace place(std::size_t index) const;

   private:
    friend class PageStore;
    Block(std::shared_ptr<State> state, std::uint32_t number);

    std::shared_ptr<State> state_;  // shared with the store, which may end earlier
    std::uint32_t number_ = 0;
  };
  /// An empty one where all are in use, or where the kernel has no such memory.
  [[nodiscard]] Block take();
  /// Those in use.
  [[nodiscard]] std::size_t blocks() const;

 private:
  std::shared_ptr<State> state_;  // shared with the blocks
};

}  // namespace vibes
