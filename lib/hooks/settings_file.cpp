// SPDX-License-Identifier: MIT
#include "hooks/settings_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/durable_write.hpp"
#include "base/limits.hpp"
#include "base/unique_fd.hpp"
#include "hooks/errc.hpp"

namespace vibes::hooks {
namespace {

using std::filesystem::path;

constexpr mode_t kNewFileMode = 0644;

Result<std::optional<std::string>> read_file(const path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) {
    return std::optional<std::string>();
  }
  if (!fd) {
    return fail_errno("cannot open " + file.string());
  }
  std::string text(limits::kSettingsBytesMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno != EINTR) {
      return fail_errno("cannot read " + file.string());
    }
    if (got == 0) {
      break;
    }
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  if (size > limits::kSettingsBytesMax) {
    return fail(make_error_code(Errc::settings_too_large), file.string());
  }
  text.resize(size);
  return std::optional(std::move(text));
}

/// A file that is removed unless it is renamed.
class TemporaryFile {
 public:
  static Result<TemporaryFile> make_beside(const path& file) {
    std::string name = file.string() + ".XXXXXX";
    UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) {
      return fail_errno("cannot make a file beside " + file.string());
    }
    return TemporaryFile(std::move(name), std::move(fd));
  }
  TemporaryFile(TemporaryFile&&) noexcept = default;
  TemporaryFile& operator=(TemporaryFile&&) noexcept = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_) {
      (void)::unlink(name_.c_str());
    }
  }

  /// Like `file`, or like a new file if there is none.
  [[nodiscard]] Result<void> look_like(const path& file) const {
    struct stat st {};
    const bool is_new = ::stat(file.c_str(), &st) != 0;
    if (::fchmod(fd_.get(), is_new ? kNewFileMode : st.st_mode & 07777U) != 0 ||
        (!is_new && ::fchown(fd_.get(), st.st_uid, st.st_gid) != 0)) {
      return fail_errno("cannot give " + name_ + " the mode and owner of " + file.string());
    }
    return {};
  }
  [[nodiscard]] Result<void> write(std::string_view bytes) const {
    VIBES_TRY(write_all(fd_.get(), bytes, name_));
    return ::fsync(fd_.get()) == 0 ? Result<void>() : fail_errno("cannot sync " + name_);
  }
  Result<void> rename_to(const path& file) {
    if (::rename(name_.c_str(), file.c_str()) != 0) {
      return fail_errno("cannot replace " + file.string());
    }
    fd_.reset();
    return sync_folder(file.parent_path());
  }

 private:
  TemporaryFile(std::string name, UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)) {}

  std::string name_;
  UniqueFd fd_;
};

/// Where the bytes are: behind all links, of which the last may lead to nothing.
Result<path> behind_links(const path& file) {
  std::error_code error;
  auto target = std::filesystem::weakly_canonical(file, error);
  if (error) {
    return fail(error, "cannot follow " + file.string());
  }
  if (std::filesystem::is_symlink(target, error)) {
    return fail(std::make_error_code(std::errc::no_such_file_or_directory),
                file.string() + " is a link to a file that is not there");
  }
  return target;
}

Result<void> write_like(const path& file, const path& model, std::string_view bytes) {
  VIBES_TRY_ASSIGN(temporary, TemporaryFile::make_beside(file));
  VIBES_TRY(temporary.look_like(model));
  VIBES_TRY(temporary.write(bytes));
  return temporary.rename_to(file);
}

}  // namespace

path SettingsFile::backup_path() const { return path_.string() + ".vibes-backup"; }

Result<std::optional<std::string>> SettingsFile::read() const { return read_file(path_); }

Result<std::optional<std::string>> SettingsFile::read_backup() const {
  return read_file(backup_path());
}

Result<void> SettingsFile::expect_unchanged(const std::optional<std::string>& before) const {
  VIBES_TRY_ASSIGN(now, read());
  if (now != before) {
    return fail(make_error_code(Errc::settings_changed), path_.string());
  }
  return {};
}

Result<void> SettingsFile::write(const std::optional<std::string>& before,
                                 std::string_view after) const {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  if (error) {
    return fail(error, "cannot create " + path_.parent_path().string());
  }
  VIBES_TRY_ASSIGN(target, behind_links(path_));
  VIBES_TRY_ASSIGN(temporary, TemporaryFile::make_beside(target));
  VIBES_TRY(temporary.look_like(target));
  VIBES_TRY(temporary.write(after));
  VIBES_TRY(expect_unchanged(before));
  return temporary.rename_to(target);
}

Result<void> SettingsFile::remove(const std::string& before) const {
  VIBES_TRY(expect_unchanged(before));
  VIBES_TRY_ASSIGN(target, behind_links(path_));
  if (::unlink(target.c_str()) != 0) {
    return fail_errno("cannot remove " + target.string());
  }
  return sync_folder(target.parent_path());
}

Result<void> SettingsFile::write_backup(std::string_view text) const {
  return write_like(backup_path(), path_, text);
}

Result<void> SettingsFile::remove_backup() const {
  if (::unlink(backup_path().c_str()) != 0 && errno != ENOENT) {
    return fail_errno("cannot remove " + backup_path().string());
  }
  return {};
}

}  // namespace vibes::hooks
