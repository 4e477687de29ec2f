// SPDX-License-Identifier: MIT
#include "eventlog/file/housekeeper.hpp"

#include <algorithm>
#include <utility>

#include "base/thread_priority.hpp"

namespace vibes::eventlog::file {
namespace {

constexpr std::size_t kZerosPerSync = 1 * limits::kMiB;

}  // namespace

Housekeeper::Housekeeper(io::FileSystem& fs, Layout layout, SegmentStore& store, Housekeeping kind)
    : fs_(fs), layout_(std::move(layout)), store_(store), zeros_ahead_(fs) {
  if (kind == Housekeeping::background) {
    thread_ = std::thread([this] { run(); });
  }
}

Housekeeper::~Housekeeper() { stop(); }

void Housekeeper::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  zeros_ahead_.stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Housekeeper::fill_active(const std::string& path, std::uint64_t position,
                              std::uint64_t capacity) {
  if (!thread_.joinable()) {
    return;
  }
  zeros_ahead_.begin(position);
  const MutexLock lock(mutex_);
  to_fill_ = Active{path, capacity};
  changed_.notify_all();
}

void Housekeeper::prepare(std::uint64_t capacity, Blocks blocks) {
  if (!thread_.joinable()) {
    return;  // take() makes it
  }
  const MutexLock lock(mutex_);
  if (!next_.file && !preparing_) {
    wanted_ = Wanted{capacity, blocks};
    changed_.notify_all();
  }
}

Result<std::unique_ptr<io::File>> Housekeeper::take(std::uint64_t capacity) {
  Next next;
  {
    MutexLock lock(mutex_);
    wanted_.reset();
    hurry_ = true;
    while (preparing_) {
      changed_.wait(lock);
    }
    hurry_ = false;
    next = std::exchange(next_, {});
  }
  if (!next.file) {
    return make(fs_, layout_, capacity);
  }
  if (next.capacity < capacity) {
    VIBES_TRY(next.file->allocate(capacity));
  }
  return std::move(next.file);
}

void Housekeeper::index(const SegmentInfo& segment, std::optional<SegmentIndex> made) {
  Sealed sealed{segment, std::move(made)};
  if (!thread_.joinable()) {
    carry_out(std::move(sealed));
    return;
  }
  const MutexLock lock(mutex_);
  to_index_.push_back(std::move(sealed));
  changed_.notify_all();
}

void Housekeeper::carry_out(Sealed sealed) {
  if (sealed.index) {
    store_.keep_index(sealed.segment, *std::move(sealed.index));
  } else {
    (void)store_.index_of(sealed.segment);  // derived: whoever needs it and finds none builds it
  }
}

Result<std::unique_ptr<io::File>> Housekeeper::make(io::FileSystem& fs, const Layout& layout,
                                                    std::uint64_t capacity) {
  const std::string path = layout.next_segment();
  VIBES_TRY_ASSIGN(left_over, fs.exists(path));
  if (left_over) {
    VIBES_TRY(fs.remove(path));
  }
  VIBES_TRY_ASSIGN(file, fs.open(path, io::OpenMode::create_new));
  VIBES_TRY(file->allocate(capacity));
  return file;
}

bool Housekeeper::has_task() const {
  return !to_index_.empty() || (!stopping_ && (to_fill_ || wanted_));
}

/// Waits for it; nothing: it is over. Whoever appends now has zeros first, and who reads later an
/// index last.
std::optional<Housekeeper::Task> Housekeeper::next_task() {
  MutexLock lock(mutex_);
  while (!stopping_ && !has_task()) {
    changed_.wait(lock);
  }
  if (!has_task()) {
    return std::nullopt;
  }
  if (!stopping_ && to_fill_) {
    return *std::exchange(to_fill_, std::nullopt);
  }
  if (!stopping_ && wanted_) {
    preparing_ = true;
    return *std::exchange(wanted_, std::nullopt);
  }
  Sealed sealed = std::move(to_index_.front());
  to_index_.pop_front();
  return sealed;
}

void Housekeeper::run() {
  step_back();
  while (auto task = next_task()) {
    std::visit([this](auto& one) { carry_out(std::move(one)); }, *task);
  }
}

void Housekeeper::carry_out(const Active& active) {
  zeros_ahead_.fill(active.path, active.capacity);
}

void Housekeeper::carry_out(const Wanted& wanted) {
  // Errors stay here: take() tries again and tells the writer.
  auto file = make(fs_, layout_, wanted.capacity);
  const bool usable =
      file && (wanted.blocks == Blocks::reserved || fill_with_zeros(**file, wanted.capacity));
  const MutexLock lock(mutex_);
  if (usable) {
    next_ = Next{std::move(*file), wanted.capacity};
  }
  preparing_ = false;
  changed_.notify_all();
}

bool Housekeeper::fill_with_zeros(io::File& file, std::uint64_t capacity) {
  const Buffer zeros(kZerosPerWrite);
  for (std::uint64_t at = 0; at < capacity; at += kZerosPerWrite) {
    {
      MutexLock lock(mutex_);
      if (!hurry_ && !stopping_) {
        (void)changed_.wait_for(lock, kZerosPause);
      }
      if (hurry_ || stopping_) {
        return true;  // allocated is enough
      }
    }
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(kZerosPerWrite, capacity - at));
    // A file that cannot be written or synced is given up: the next one starts afresh.
    if (!file.write_at(at, Bytes(zeros).first(size))) {
      return false;
    }
    const bool is_last = at + size == capacity;
    if (((at + size) % kZerosPerSync == 0 || is_last) && !file.sync_data()) {
      return false;
    }
  }
  return true;
}

}  // namespace vibes::eventlog::file
