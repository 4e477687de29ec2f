// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vibes::io {

/// An open file. All positions are in bytes from its start. Reads may come from any thread;
/// everything that changes the file comes from one thread at a time. Closed by the destructor,
/// which reports nothing: what must be on disk has been synced before.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Reads up to into.size() bytes; fewer only at the end of the file. Retries EINTR.
  virtual Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) const = 0;
  /// Writes all of `from` or fails. Short writes are continued, EINTR is retried; after an error
  /// any prefix may have been written (a full disk is announced by a short write).
  virtual Result<void> write_at(std::uint64_t position, std::span<const std::byte> from) = 0;
  /// fdatasync(2). After any error nothing is known about what is on disk, and calling it again
  /// would lie: the caller must give the file up.
  virtual Result<void> sync_data() = 0;
  /// Lets the disk begin with what was written in this range, so that a later sync_data() has less
  /// to wait for. Promises nothing.
  virtual void begin_writeback(std::uint64_t /*position*/, std::uint64_t /*bytes*/) {}
  virtual Result<void> truncate(std::uint64_t size) = 0;
  /// Reserves disk space and sets the file's size, so that later writes inside it cannot meet a
  /// full disk.
  virtual Result<void> allocate(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  /// The first byte at or behind `position` whose block is allocated but was never written, or is
  /// not allocated; `position` itself where that cannot be told.
  [[nodiscard]] virtual Result<std::uint64_t> written_until(std::uint64_t position) const {
    return position;
  }
  /// Makes later reads come from the disk and not from the page cache, which after a failed sync
  /// shows what the disk never got.
  virtual Result<void> drop_cache() = 0;
};

enum class OpenMode { read_only, read_write, create_new };

/// An advisory lock that keeps every other process, and every other holder in this one, away. Given
/// up by the destructor and by the death of the process.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;

  /// Fails if the path no longer names the file that is locked: then somebody moved or removed the
  /// directory under us, and another process may hold a lock on what is there now.
  virtual Result<void> check() = 0;
};

/// The files of one machine. Paths are absolute. PosixFileSystem is the real one; SimDisk forgets
/// what was not synced. Links are never followed in the last component.
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Makes creations, renames and removals in `directory` durable.
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  virtual Result<void> make_directory(const std::string& path) = 0;
  /// Names, without "." and "..", sorted.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  /// Takes the lock `path`, which is created if missing and never removed, and writes `holder` into
  /// it for people to read. Never waits: std::errc::resource_unavailable_try_again, with what the
  /// holder wrote as the context, if it is taken.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path,
                                                 const std::string& holder) = 0;
  /// Fails unless `directory` is a directory of ours that nobody else may write, on a file system
  /// that keeps its promises (not NFS, SMB or 9p).
  virtual Result<void> check_private(const std::string& directory) = 0;
  /// Bytes an unprivileged user can still write.
  virtual Result<std::uint64_t> free_bytes(const std::string& directory) = 0;
};

FileSystem& posix_file_system();

}  // namespace vibes::io
