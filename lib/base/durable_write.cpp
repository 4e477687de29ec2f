// SPDX-License-Identifier: MIT
#include "base/durable_write.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace vibes {

Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("cannot write " + file.string());
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return fail_errno("cannot sync " + folder.string());
  }
  return {};
}

}  // namespace vibes
