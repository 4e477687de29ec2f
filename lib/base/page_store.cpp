// SPDX-License-Identifier: MIT
#include "base/page_store.hpp"

#include <sys/mman.h>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "base/assert.hpp"
#include "base/mutex.hpp"
#include "base/unique_fd.hpp"

namespace vibes {

struct PageStore::State {
  explicit State(std::size_t blocks) : blocks_max(blocks) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (memory != nullptr) {
      (void)::munmap(memory, bytes());
    }
  }
  [[nodiscard]] std::size_t bytes() const { return blocks_max * kBlockBytes; }

  // A huge page that is given back in part and still on its way to a socket could not be split:
  // the kernel would write zeros into it.
  bool open() {
    file.reset(::memfd_create("vibes-frames", MFD_CLOEXEC));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(bytes())) != 0) {
      return false;
    }
    void* const mapped =
        ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) {
      return false;
    }
    memory = static_cast<char*>(mapped);
    return ::madvise(memory, bytes(), MADV_NOHUGEPAGE) == 0;
  }

  const std::size_t blocks_max;
  mutable Mutex mutex;
  // Set by the first take(), which hands them on with its block.
  UniqueFd file;
  char* memory = nullptr;
  bool tried VIBES_GUARDED_BY(mutex) = false;
  bool usable VIBES_GUARDED_BY(mutex) = false;
  std::vector<std::uint32_t> free VIBES_GUARDED_BY(mutex);  // given back; their pages are gone
  std::uint32_t fresh VIBES_GUARDED_BY(mutex) = 0;          // from here on none was ever used
  std::size_t used VIBES_GUARDED_BY(mutex) = 0;
};

PageStore::PageStore(std::size_t blocks_max) : state_(std::make_shared<State>(blocks_max)) {}
PageStore::~PageStore() = default;

PageStore::Block PageStore::take() {
  std::uint32_t number = 0;
  {
    const MutexLock lock(state_->mutex);
    if (!std::exchange(state_->tried, true)) {
      state_->usable = state_->open();
    }
    if (!state_->usable || (state_->free.empty() && state_->fresh == state_->blocks_max)) {
      return {};
    }
    if (state_->free.empty()) {
      number = state_->fresh++;
    } else {
      number = state_->free.back();
      state_->free.pop_back();
    }
    ++state_->used;
  }
  Block block(state_, number);
#ifdef MADV_POPULATE_WRITE
  // In one call what would be a fault for each page. Older kernels refuse and fault.
  (void)::madvise(block.data(), kBlockBytes, MADV_POPULATE_WRITE);
#endif
  return block;
}

std::size_t PageStore::blocks() const {
  const MutexLock lock(state_->mutex);
  return state_->used;
}

PageStore::Block::Block(std::shared_ptr<State> state, std::uint32_t number)
    : state_(std::move(state)), number_(number) {}

PageStore::Block::Block(Block&& other) noexcept
    : state_(std::move(other.state_)), number_(other.number_) {}

PageStore::Block& PageStore::Block::operator=(Block&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(number_, other.number_);
  return *this;
}

PageStore::Block::~Block() {
  if (state_ == nullptr) {
    return;
  }
  const bool gone = ::fallocate(state_->file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                place(0).offset, static_cast<off_t>(kBlockBytes)) == 0;
  const MutexLock lock(state_->mutex);
  --state_->used;
  if (gone) {  // otherwise the pages may still be on their way: never again
    state_->free.push_back(number_);
  }
}

char* PageStore::Block::data() const { return state_->memory + number_ * kBlockBytes; }

FilePlace PageStore::Block::place(std::size_t index) const {
  VIBES_ASSERT(index < kBlockBytes);
  return {state_->file.get(), static_cast<off_t>(number_ * kBlockBytes + index)};
}

}  // namespace vibes
