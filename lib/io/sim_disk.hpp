// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "io/file_system.hpp"

namespace vibes::io {

/// A disk in memory that keeps its promises exactly and no more: what was not synced may be lost,
/// sector by sector and in any order; names that were not synced may be lost one by one; a failed
/// sync leaves the page cache as it was and the disk without the data, and says so only once. Tests
/// crash it, copy it and make its calls fail. Thread-safe.
class SimDisk final : public FileSystem {
 public:
  static constexpr std::size_t kSectorBytes = 512;

  struct Inode {
    std::vector<std::byte> cache;   // what reads see
    std::vector<std::byte> disk;    // what survives for sure
    std::set<std::uint64_t> dirty;  // sectors of the cache that the disk may or may not have
  };
  /// A change of names that its directory has not been synced after.
  struct NameChange {
    std::string directory;
    std::string removed;  // full path; empty: none
    std::string added;    // full path; empty: none
    std::uint64_t inode = 0;
  };
  /// Everything there is, to be copied, kept and compared.
  struct State {
    static constexpr std::uint64_t kDirectory = 0;  // the inode number of every directory
    std::map<std::uint64_t, Inode> inodes;
    std::map<std::string, std::uint64_t> names;
    std::map<std::string, std::uint64_t> disk_names;
    std::vector<NameChange> name_changes;
    std::uint64_t next_inode = 1;

    /// How many things a crash decides about, each for itself: dirty sectors, sizes and name
    /// changes.
    [[nodiscard]] std::size_t undecided() const;
    /// What is left after a crash. `survives(i)` decides about the i-th of undecided() things.
    [[nodiscard]] State crashed(const std::function<bool(std::size_t)>& survives) const;
    /// Of names and contents: tells states apart.
    [[nodiscard]] std::uint64_t hash() const;
  };

  enum class Call : unsigned {
    read = 1U << 0U,
    write = 1U << 1U,
    sync = 1U << 2U,
    truncate = 1U << 3U,
    allocate = 1U << 4U,
    open = 1U << 5U,
    rename = 1U << 6U,
    remove = 1U << 7U,
    sync_directory = 1U << 8U,
    make_directory = 1U << 9U,
    list = 1U << 10U,
  };
  /// Makes the `at`-th of the calls in `calls` (counted from 1) fail, or all from there on. A write
  /// that fails leaves a half of itself behind.
  struct Fault {
    unsigned calls = 0;  // of Call
    std::uint64_t at = 1;
    int error = 0;
    bool from_then_on = false;
  };

  SimDisk();
  explicit SimDisk(State state);

  [[nodiscard]] State state() const;
  /// Called after each call that changed something, with the lock held: it must not use the disk.
  void on_change(std::function<void(const State&)> observer);
  void inject(const Fault& fault);
  void heal();
  /// Whether the fault has struck.
  [[nodiscard]] bool struck() const;
  [[nodiscard]] std::uint64_t syncs() const;
  void set_free_bytes(std::uint64_t bytes);

  // For damage by hand.
  [[nodiscard]] std::vector<std::string> files() const;
  [[nodiscard]] std::vector<std::byte> contents(const std::string& path) const;
  void set_contents(const std::string& path, std::vector<std::byte> bytes);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& directory) override;
  Result<void> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path,
                                         const std::string& holder) override;
  Result<void> check_private(const std::string& directory) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;

 private:
  friend class SimFile;
  friend class SimLock;

  /// The errno to fail with, or 0.
  int strikes(Call call) VIBES_REQUIRES(mutex_);
  void changed() VIBES_REQUIRES(mutex_);
  /// Seen at once, durable only with the next sync of its directory.
  void make_change(const NameChange& change) VIBES_REQUIRES(mutex_);
  Inode* inode_of(const std::string& path) VIBES_REQUIRES(mutex_);
  static void put(Inode& inode, std::uint64_t position, std::span<const std::byte> from);
  static void resize(Inode& inode, std::uint64_t size);

  mutable Mutex mutex_;
  State state_ VIBES_GUARDED_BY(mutex_);
  std::function<void(const State&)> observer_ VIBES_GUARDED_BY(mutex_);
  std::optional<Fault> fault_ VIBES_GUARDED_BY(mutex_);
  std::uint64_t fault_calls_ VIBES_GUARDED_BY(mutex_) = 0;
  bool struck_ VIBES_GUARDED_BY(mutex_) = false;
  std::uint64_t syncs_ VIBES_GUARDED_BY(mutex_) = 0;
  std::uint64_t free_bytes_ VIBES_GUARDED_BY(mutex_) = 1ULL << 40U;
  std::set<std::string> locks_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::io
