// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "io/file_system.hpp"
#include "io/patient_write.hpp"

namespace vibes::eventlog::file {

/// Zeros are written in pieces of so many bytes, which start at multiples of it.
inline constexpr std::size_t kZerosPerWrite = io::kPatientWriteBytes;
/// Between two writes of zeros, so that they do not crowd out the appends.
inline constexpr std::chrono::microseconds kZerosPause{500};

/// Fills the active segment with zeros in front of the appends, while they go on: a sync of a batch
/// takes about half as long where blocks were written before. A segment that was prepared has its
/// zeros; the first one of a log has not, nor what a start cut off behind the last batch.
///
/// One thread appends and calls begin(), make_way() and stop(); another one calls fill(). Never is
/// a zero written before a position that make_way() was told of.
class ZerosAhead {
 public:
  explicit ZerosAhead(io::FileSystem& fs) : fs_(fs) {}

  /// From now on zeros may be written from `position` on.
  void begin(std::uint64_t position);
  /// To be called before anything is written up to `end`; waits for one piece of zeros at most, and
  /// only where that is in the way.
  void make_way(std::uint64_t end);
  /// No more zeros; returns when none is being written.
  void stop();

  /// Fills the file `path` up to `capacity` as far as its blocks were never written, a piece at
  /// a time. Ends early after stop(), where the appends are faster than this, and where
  /// the file cannot be written: what is not filled is allocated, which is enough to append.
  void fill(const std::string& path, std::uint64_t capacity);

 private:
  static constexpr auto kNowhere = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] std::uint64_t taken() const;
  [[nodiscard]] bool claim(std::uint64_t at);
  void release();
  Result<void> fill_file(const std::string& path, std::uint64_t capacity);

  io::FileSystem& fs_;
  std::atomic<bool> wanted_ = false;  // changed with mutex_ held
  mutable Mutex mutex_;
  CondVar changed_;
  std::uint64_t taken_ VIBES_GUARDED_BY(mutex_) = 0;  // the appends', from the start to here
  std::uint64_t claimed_ VIBES_GUARDED_BY(mutex_) = kNowhere;  // where zeros are being written
};

}  // namespace vibes::eventlog::file
