// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <new>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "io/file_system.hpp"

namespace vibes::io {
namespace {

template <class Call>
auto retry_on_signal(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

constexpr std::uint32_t kNotWritten = FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DELALLOC;

class PosixFile final : public File {
 public:
  PosixFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = retry_on_signal([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(position + done));
      });
      if (got < 0) {
        return fail_errno(at("cannot read", position + done));
      }
      if (got == 0) {
        break;
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t position, std::span<const std::byte> from) override {
    std::size_t done = 0;
    while (done < from.size()) {
      const ssize_t put = retry_on_signal([&] {
        return ::pwrite(fd_.get(), from.data() + done, from.size() - done,
                        static_cast<off_t>(position + done));
      });
      if (put < 0) {
        return fail_errno(at("cannot write", position + done));
      }
      if (put == 0) {
        return fail_errno(EIO, at("cannot write", position + done));
      }
      done += static_cast<std::size_t>(put);
    }
    return {};
  }

  Result<void> sync_data() override {
    // Not retried, not even after EINTR: after any error the kernel may have dropped what was
    // dirty.
    if (::fdatasync(fd_.get()) != 0) {
      return fail_errno("cannot sync " + path_);
    }
    return {};
  }

  void begin_writeback(std::uint64_t position, std::uint64_t bytes) override {
    (void)::sync_file_range(fd_.get(), static_cast<off64_t>(position), static_cast<off64_t>(bytes),
                            SYNC_FILE_RANGE_WRITE);
  }

  Result<void> truncate(std::uint64_t size) override {
    if (retry_on_signal([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return fail_errno("cannot cut " + path_ + " to " + std::to_string(size) + " bytes");
    }
    return {};
  }

  Result<void> allocate(std::uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    if (retry_on_signal([&] { return ::fallocate(fd_.get(), 0, 0, length); }) == 0) {
      return {};
    }
    if (errno != EOPNOTSUPP) {
      return fail_errno("cannot allocate " + std::to_string(size) + " bytes for " + path_);
    }
    // No reservation on this file system: a full disk is then met by a write.
    VIBES_TRY_ASSIGN(now, this->size());
    if (now < size) {
      return truncate(size);
    }
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    struct stat st {};
    if (::fstat(fd_.get(), &st) != 0) {
      return fail_errno("cannot look at " + path_);
    }
    return static_cast<std::uint64_t>(st.st_size);
  }

  // lseek(SEEK_HOLE) would take what is in the page cache for data: zeros that were read, too.
  [[nodiscard]] Result<std::uint64_t> written_until(std::uint64_t position) const override {
    alignas(fiemap) std::array<std::byte, sizeof(fiemap) + sizeof(fiemap_extent)> room{};
    for (;;) {
      auto* const map = new (room.data()) fiemap;
      map->fm_start = position;
      map->fm_length = FIEMAP_MAX_OFFSET - position;
      map->fm_flags = 0;
      map->fm_mapped_extents = 0;
      map->fm_extent_count = 1;
      const bool answers = ::ioctl(fd_.get(), FS_IOC_FIEMAP, map) == 0;
      const fiemap_extent& next = map->fm_extents[0];
      if (!answers || map->fm_mapped_extents == 0 || next.fe_logical > position ||
          (next.fe_flags & kNotWritten) != 0) {
        return position;
      }
      position = next.fe_logical + next.fe_length;
    }
  }

  Result<void> drop_cache() override {
    const int error = ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0) {
      return fail_errno(error, "cannot drop the cache of " + path_);
    }
    return {};
  }

 private:
  [[nodiscard]] std::string at(const char* what, std::uint64_t position) const {
    return std::string(what) + " " + path_ + " at byte " + std::to_string(position);
  }

  UniqueFd fd_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  PosixLock(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<void> check() override {
    struct stat held {};
    struct stat named {};
    if (::fstat(fd_.get(), &held) != 0 || ::lstat(path_.c_str(), &named) != 0) {
      return fail_errno("cannot look at " + path_);
    }
    if (held.st_dev != named.st_dev || held.st_ino != named.st_ino) {
      return fail(std::make_error_code(std::errc::no_lock_available),
                  path_ + " is not the file we locked: the directory was moved or replaced");
    }
    return {};
  }

 private:
  UniqueFd fd_;
  std::string path_;
};

Result<UniqueFd> open_fd(const std::string& path, int flags) {
  UniqueFd fd(retry_on_signal(
      [&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR); }));
  if (!fd) {
    return fail_errno("cannot open " + path);
  }
  return fd;
}

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read_only:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

/// File systems on which a lock or a sync may mean less than it says.
const char* unfit_file_system(const std::string& directory) {
  struct statfs fs {};
  if (::statfs(directory.c_str(), &fs) != 0) {
    return nullptr;
  }
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 5> kUnfit{{
      {0x6969, "NFS"},
      {0x517b, "SMB"},
      {0xff534d42, "CIFS"},
      {0xfe534d42, "SMB2"},
      {0x01021997, "9p"},
  }};
  for (const auto& [magic, name] : kUnfit) {
    if (static_cast<std::uint32_t>(fs.f_type) == magic) {
      return name;
    }
  }
  return nullptr;
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    VIBES_TRY_ASSIGN(fd, open_fd(path, flags_of(mode)));
    return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path));
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return fail_errno("cannot rename " + from + " to " + to);
    }
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      return fail_errno("cannot remove " + path);
    }
    return {};
  }

  Result<void> sync_directory(const std::string& directory) override {
    VIBES_TRY_ASSIGN(fd, open_fd(directory, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) != 0) {
      return fail_errno("cannot sync directory " + directory);
    }
    return {};
  }

  Result<void> make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), S_IRWXU) != 0) {
      return fail_errno("cannot create directory " + path);
    }
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) {
      return fail_errno("cannot list " + directory);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe): own DIR
      const std::string name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") {
        names.push_back(name);
      }
    }
    if (errno != 0) {
      return fail_errno("cannot list " + directory);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat st {};
    if (::lstat(path.c_str(), &st) == 0) {
      return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      return false;
    }
    return fail_errno("cannot look at " + path);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path,
                                         const std::string& holder) override {
    VIBES_TRY_ASSIGN(fd, open_fd(path, O_RDWR | O_CREAT));
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(fd.get(), F_OFD_SETLK, &whole) != 0) {
      if (errno == EAGAIN || errno == EACCES) {
        return fail(std::make_error_code(std::errc::resource_unavailable_try_again),
                    path + " is held by: " + first_line(fd.get()));
      }
      return fail_errno("cannot lock " + path);
    }
    // For people only: the lock is the kernel's, so a half-written text does no harm.
    if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), holder.data(), holder.size(), 0) < 0) {
      return fail_errno("cannot write " + path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(fd), path));
  }

  Result<void> check_private(const std::string& directory) override {
    struct stat st {};
    if (::lstat(directory.c_str(), &st) != 0) {
      return fail_errno("cannot look at " + directory);
    }
    if (!S_ISDIR(st.st_mode)) {
      return fail(std::make_error_code(std::errc::not_a_directory), directory);
    }
    const auto denied = std::make_error_code(std::errc::permission_denied);
    if (st.st_uid != ::geteuid()) {
      return fail(denied, directory + " belongs to user " + std::to_string(st.st_uid));
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      return fail(denied, directory + " may be written by others; chmod go-w it");
    }
    if (const char* name = unfit_file_system(directory)) {
      return fail(std::make_error_code(std::errc::not_supported),
                  directory + " is on " + name + ", where locks and syncs cannot be relied on");
    }
    return {};
  }

  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs fs {};
    if (::statvfs(directory.c_str(), &fs) != 0) {
      return fail_errno("cannot ask for the free space of " + directory);
    }
    return static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize;
  }

 private:
  static std::string first_line(int fd) {
    std::array<char, 256> text{};
    const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    const std::string all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return all.substr(0, all.find('\n'));
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace vibes::io
