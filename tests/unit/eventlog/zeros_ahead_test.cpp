// SPDX-License-Identifier: MIT
#include "eventlog/file/zeros_ahead.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "io/file_system.hpp"
#include "log_helpers.hpp"
#include "support/catch.hpp"
#include "support/unsynced_files.hpp"

using namespace vibes;
using eventlog::file::kZerosPerWrite;
using eventlog::file::ZerosAhead;

namespace {

constexpr std::size_t kCapacity = 4 * limits::kMiB;
constexpr std::byte kEvents{0xee};
constexpr std::byte kOld{0x55};

/// The machine's files, which call before each write, and after it where a sync would be.
class WatchedFiles : public test::UnsyncedFileSystem {
 public:
  using Watch = std::function<void(std::uint64_t position)>;

  explicit WatchedFiles(
      Watch before_write = [](std::uint64_t) {}, Watch at_sync = [](std::uint64_t) {})
      : before_write_(std::move(before_write)), at_sync_(std::move(at_sync)) {}

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    VIBES_TRY_ASSIGN(file, UnsyncedFileSystem::open(path, mode));
    return std::unique_ptr<io::File>(std::make_unique<Watched>(std::move(file), *this));
  }

 private:
  class Watched final : public test::UnsyncedFile {
   public:
    Watched(std::unique_ptr<io::File> real, const WatchedFiles& files)
        : UnsyncedFile(std::move(real)), files_(files) {}
    Result<void> write_at(std::uint64_t position, std::span<const std::byte> from) override {
      files_.before_write_(position);
      last_ = position;
      return UnsyncedFile::write_at(position, from);
    }
    Result<void> sync_data() override {
      files_.at_sync_(last_);
      return {};
    }

   private:
    const WatchedFiles& files_;
    std::uint64_t last_ = 0;
  };

  const Watch before_write_;
  const Watch at_sync_;
};

/// The active segment as an appender has it, full of something that was there before.
class Segment {
 public:
  Segment() : path_(dir_.path() + "/segment") {
    file_ = *io::posix_file_system().open(path_, io::OpenMode::create_new);
    put(0, kCapacity, kOld);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  void put(std::uint64_t from, std::uint64_t to, std::byte value) {
    const std::vector<std::byte> bytes(to - from, value);
    REQUIRE(file_->write_at(from, bytes));
  }
  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<std::byte> all(kCapacity);
    REQUIRE(file_->read_at(0, all));
    return all;
  }

 private:
  test::TempDir dir_;
  std::string path_;
  std::unique_ptr<io::File> file_;
};

bool all_are(const std::vector<std::byte>& bytes, std::size_t from, std::size_t to,
             std::byte value) {
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                     bytes.begin() + static_cast<std::ptrdiff_t>(to),
                     [&](std::byte one) { return one == value; });
}

/// Stops whoever writes zeros at one place until it may go on.
class Barrier {
 public:
  void pause() {
    is_there_.release();
    may_go_on_.acquire();
  }
  void await() { is_there_.acquire(); }
  void open() { may_go_on_.release(); }

 private:
  std::binary_semaphore is_there_{0};
  std::binary_semaphore may_go_on_{0};
};

/// Gives a thread that would not wait every chance to be seen.
bool comes_soon(const std::atomic<bool>& what) {
  for (int i = 0; i < 100 && !what; ++i) {
    std::this_thread::yield();
  }
  return what;
}

}  // namespace

TEST_CASE("zeros ahead: from the piece behind the last batch to the end", "[eventlog]") {
  Segment segment;
  WatchedFiles files;
  ZerosAhead zeros(files);
  const std::size_t position = kZerosPerWrite + 100;
  zeros.begin(position);
  zeros.fill(segment.path(), kCapacity);
  const auto bytes = segment.bytes();
  CHECK(all_are(bytes, 0, 2 * kZerosPerWrite, kOld));
  CHECK(all_are(bytes, 2 * kZerosPerWrite, kCapacity, std::byte{}));
}

TEST_CASE("zeros ahead: none before begin(), and none after stop()", "[eventlog]") {
  Segment segment;
  WatchedFiles files;
  ZerosAhead zeros(files);
  zeros.fill(segment.path(), kCapacity);
  CHECK(all_are(segment.bytes(), 0, kCapacity, kOld));
  zeros.begin(0);
  zeros.stop();
  zeros.fill(segment.path(), kCapacity);
  CHECK(all_are(segment.bytes(), 0, kCapacity, kOld));
}

TEST_CASE("zeros ahead: whoever appends faster is left alone", "[eventlog]") {
  Segment segment;
  std::vector<std::uint64_t> pieces;
  ZerosAhead* appends = nullptr;
  WatchedFiles files([&](std::uint64_t at) { pieces.push_back(at / kZerosPerWrite); },
                     [&](std::uint64_t at) {
                       if (at == 5 * kZerosPerWrite) {
                         appends->make_way(9 * kZerosPerWrite);
                       }
                     });
  ZerosAhead zeros(files);
  appends = &zeros;
  zeros.begin(0);
  zeros.make_way(3 * kZerosPerWrite - 1);
  zeros.fill(segment.path(), kCapacity);
  CHECK(pieces == std::vector<std::uint64_t>{3, 4, 5});
}

TEST_CASE("zeros ahead: an append waits for the piece that is in its way, and for no other",
          "[eventlog]") {
  Segment segment;
  Barrier barrier;
  WatchedFiles files([&](std::uint64_t at) {
    if (at == 2 * kZerosPerWrite) {
      barrier.pause();
    }
  });
  ZerosAhead zeros(files);
  zeros.begin(0);
  std::thread housekeeper([&] { zeros.fill(segment.path(), kCapacity); });
  barrier.await();
  zeros.make_way(2 * kZerosPerWrite);  // up to the piece, so it returns
  std::atomic<bool> has_way = false;
  std::thread appender([&] {
    zeros.make_way(2 * kZerosPerWrite + 1);
    has_way = true;
    segment.put(0, 2 * kZerosPerWrite + 1, kEvents);
  });
  CHECK_FALSE(comes_soon(has_way));
  barrier.open();
  appender.join();
  zeros.stop();
  housekeeper.join();
  CHECK(all_are(segment.bytes(), 0, 2 * kZerosPerWrite + 1, kEvents));
}

TEST_CASE("zeros ahead: stop() returns when no zero will be written any more", "[eventlog]") {
  Segment segment;
  Barrier barrier;
  std::atomic<bool> is_over = false;
  std::atomic<bool> wrote_late = false;
  WatchedFiles files([&](std::uint64_t at) {
    wrote_late = wrote_late || is_over;
    if (at == 0) {
      barrier.pause();
    }
  });
  ZerosAhead zeros(files);
  zeros.begin(0);
  std::thread housekeeper([&] { zeros.fill(segment.path(), kCapacity); });
  barrier.await();
  std::thread closer([&] {
    zeros.stop();
    is_over = true;
  });
  CHECK_FALSE(comes_soon(is_over));
  barrier.open();
  closer.join();
  housekeeper.join();
  CHECK_FALSE(wrote_late);
}

TEST_CASE("zeros ahead: appends that go on meanwhile lose nothing", "[eventlog]") {
  Segment segment;
  std::atomic<bool> is_filled = false;
  WatchedFiles files;
  ZerosAhead zeros(files);
  zeros.begin(0);
  std::thread housekeeper([&] {
    zeros.fill(segment.path(), kCapacity);
    is_filled = true;
  });
  std::size_t end = 0;
  for (constexpr std::size_t kBatch = 1'500; !is_filled && end + kBatch <= kCapacity;
       end += kBatch) {
    zeros.make_way(end + kBatch);
    segment.put(end, end + kBatch, kEvents);
  }
  zeros.stop();
  housekeeper.join();
  CHECK(all_are(segment.bytes(), 0, end, kEvents));
}
