// SPDX-License-Identifier: MIT
#include "consumers/notifications/state_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/durable_write.hpp"
#include "base/limits.hpp"
#include "base/unique_fd.hpp"

namespace vibes::consumers {
namespace {

constexpr mode_t kOurs = 0600;
constexpr std::size_t kFileBytesMax = 16 * limits::kMiB;

}  // namespace

Result<std::optional<std::string>> read_state_file(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) {
    if (errno == ENOENT) {
      return std::optional<std::string>();
    }
    return fail_errno(file.string());
  }
  std::string text;
  std::array<char, 4'096> piece{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno != EINTR) {
      return fail_errno(file.string());
    }
    if (got == 0) {
      return std::optional(std::move(text));
    }
    text.append(piece.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    if (text.size() > kFileBytesMax) {
      return fail_errno(EFBIG, file.string());
    }
  }
}

Result<void> write_state_file(const std::filesystem::path& file, std::string_view text) {
  const std::string fresh = file.string() + ".new";
  {
    const UniqueFd fd(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kOurs));
    if (!fd || ::fchmod(fd.get(), kOurs) != 0) {
      return fail_errno(fresh);
    }
    VIBES_TRY(write_all(fd.get(), text, fresh));
    if (::fsync(fd.get()) != 0) {
      return fail_errno(fresh);
    }
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    return fail_errno(file.string());
  }
  return sync_folder(file.parent_path());
}

}  // namespace vibes::consumers
