// SPDX-License-Identifier: MIT
#include "eventlog/file/zeros_ahead.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace vibes::eventlog::file {
namespace {

/// Whole pieces, so that no page has both zeros and events to be written.
std::uint64_t first_piece_behind(std::uint64_t position) {
  return (position + kZerosPerWrite - 1) / kZerosPerWrite * kZerosPerWrite;
}

}  // namespace

void ZerosAhead::begin(std::uint64_t position) {
  const MutexLock lock(mutex_);
  taken_ = position;
  wanted_ = true;
}

void ZerosAhead::make_way(std::uint64_t end) {
  if (!wanted_) {
    return;
  }
  MutexLock lock(mutex_);
  taken_ = std::max(taken_, end);
  while (claimed_ < taken_) {
    changed_.wait(lock);
  }
}

void ZerosAhead::stop() {
  MutexLock lock(mutex_);
  wanted_ = false;
  changed_.notify_all();
  while (claimed_ != kNowhere) {
    changed_.wait(lock);
  }
}

std::uint64_t ZerosAhead::taken() const {
  const MutexLock lock(mutex_);
  return taken_;
}

bool ZerosAhead::claim(std::uint64_t at) {
  MutexLock lock(mutex_);
  if (wanted_) {
    (void)changed_.wait_for(lock, kZerosPause);
  }
  if (!wanted_ || at < taken_) {
    return false;
  }
  claimed_ = at;
  return true;
}

void ZerosAhead::release() {
  const MutexLock lock(mutex_);
  claimed_ = kNowhere;
  changed_.notify_all();
}

void ZerosAhead::fill(const std::string& path, std::uint64_t capacity) {
  (void)fill_file(path, capacity);
  const MutexLock lock(mutex_);
  wanted_ = false;
}

// A handle of its own: each is told of an error of the disk once, and the appends' must be told.
Result<void> ZerosAhead::fill_file(const std::string& path, std::uint64_t capacity) {
  VIBES_TRY_ASSIGN(file, fs_.open(path, io::OpenMode::read_write));
  VIBES_TRY_ASSIGN(hole, file->written_until(taken()));
  const std::vector<std::byte> zeros(kZerosPerWrite);
  for (std::uint64_t at = first_piece_behind(hole); at < capacity && claim(at);
       at += zeros.size()) {
    const auto size = std::min<std::uint64_t>(zeros.size(), capacity - at);
    const auto written = file->write_at(at, std::span(zeros).first(size));
    release();
    VIBES_TRY(written);
    // At once: otherwise the next sync of the appends would have it to write.
    VIBES_TRY(file->sync_data());
  }
  return {};
}

}  // namespace vibes::eventlog::file
