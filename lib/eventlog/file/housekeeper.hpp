// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/file/segment_store.hpp"
#include "eventlog/file/zeros_ahead.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::file {

/// Where the work beside the appends is done.
enum class Housekeeping {
  background,  // on a thread of its own
  on_demand,   // by whoever needs the result; the order of all file operations is then fixed
};

/// What the blocks of the next segment are. A sync of a batch takes about half as long where they
/// were written before; who does not sync each batch is better off without writing everything
/// twice.
enum class Blocks : std::uint8_t {
  reserved,  // allocated
  written,   // and filled with zeros
};

/// Does what would make an append wait: prepares the next segment and builds the index of a segment
/// that was sealed. Called by the writer thread only.
class Housekeeper {
 public:
  Housekeeper(io::FileSystem& fs, Layout layout, SegmentStore& store, Housekeeping kind);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  /// Starts to prepare the next segment, unless there is one.
  void prepare(std::uint64_t capacity, Blocks blocks);
  /// Starts to fill the active segment, the file `path`, with zeros behind `position`. Before a
  /// write into it zeros_ahead() is asked to make way, before it is cut to stop.
  void fill_active(const std::string& path, std::uint64_t position, std::uint64_t capacity);
  [[nodiscard]] ZerosAhead& zeros_ahead() { return zeros_ahead_; }
  /// The prepared segment under its temporary name, at least `capacity` bytes long and all zeros.
  /// Makes one if there is none; never waits for zeros.
  Result<std::unique_ptr<io::File>> take(std::uint64_t capacity);
  /// Writes the index of a sealed segment; builds it where the writer has not.
  void index(const SegmentInfo& segment, std::optional<SegmentIndex> made);
  /// Finishes the indices, which make the next start fast, and stops.
  void stop();

 private:
  struct Next {
    std::unique_ptr<io::File> file;
    std::uint64_t capacity = 0;
  };

  struct Wanted {
    std::uint64_t capacity = 0;
    Blocks blocks = Blocks::reserved;
  };

  struct Active {
    std::string path;
    std::uint64_t capacity = 0;
  };

  struct Sealed {
    SegmentInfo segment;
    std::optional<SegmentIndex> index;
  };

  using Task = std::variant<Active, Wanted, Sealed>;

  [[nodiscard]] bool has_task() const VIBES_REQUIRES(mutex_);
  std::optional<Task> next_task();
  void carry_out(const Active& active);
  void carry_out(const Wanted& wanted);
  void carry_out(Sealed sealed);
  static Result<std::unique_ptr<io::File>> make(io::FileSystem& fs, const Layout& layout,
                                                std::uint64_t capacity);
  void run();
  [[nodiscard]] bool fill_with_zeros(io::File& file, std::uint64_t capacity);

  io::FileSystem& fs_;
  const Layout layout_;
  SegmentStore& store_;
  ZerosAhead zeros_ahead_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ VIBES_GUARDED_BY(mutex_) = false;
  bool hurry_ VIBES_GUARDED_BY(mutex_) = false;      // take() waits: no more zeros
  bool preparing_ VIBES_GUARDED_BY(mutex_) = false;  // the thread has it in hand
  std::optional<Active> to_fill_ VIBES_GUARDED_BY(mutex_);
  std::optional<Wanted> wanted_ VIBES_GUARDED_BY(mutex_);
  Next next_ VIBES_GUARDED_BY(mutex_);
  std::deque<Sealed> to_index_ VIBES_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace vibes::eventlog::file
