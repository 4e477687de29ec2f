// SPDX-License-Identifier: MIT
#include "verify/private_directory.hpp"

#include <cstdlib>
#include <utility>

namespace vibes::verify {

Result<PrivateDirectory> PrivateDirectory::make() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) {
    return fail(error, "$TMPDIR");
  }
  // Short: the path of a unix socket inside it has 108 bytes at most.
  std::string name = parent / "vv-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    return fail_errno(name);
  }
  return PrivateDirectory(std::filesystem::path(name));
}

PrivateDirectory::PrivateDirectory(PrivateDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), kept_(other.kept_) {}

PrivateDirectory::~PrivateDirectory() {
  if (!path_.empty() && !kept_) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace vibes::verify
