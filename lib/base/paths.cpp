// SPDX-License-Identifier: MIT
#include "base/paths.hpp"

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

namespace vibes {
namespace {

std::filesystem::path from_environment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before threads start
  // The specification: a relative path is invalid and is ignored.
  if (value == nullptr || value[0] != '/') {
    return {};
  }
  return value;
}

Result<std::filesystem::path> base_dir(const char* variable, std::string_view below_home) {
  auto dir = from_environment(variable);
  if (!dir.empty()) {
    return dir;
  }
  const auto home = from_environment("HOME");
  if (home.empty()) {
    return fail(std::make_error_code(std::errc::no_such_file_or_directory),
                std::string("neither ") + variable + " nor HOME is set to an absolute path");
  }
  return home / below_home;
}

}  // namespace

Result<Paths> default_paths() {
  VIBES_TRY_ASSIGN(config, base_dir("XDG_CONFIG_HOME", ".config"));
  VIBES_TRY_ASSIGN(data, base_dir("XDG_DATA_HOME", ".local/share"));
  VIBES_TRY_ASSIGN(state, base_dir("XDG_STATE_HOME", ".local/state"));
  Paths paths;
  paths.config = config / "vibes" / "config.toml";
  paths.log = data / "vibes" / "log";
  paths.state = state / "vibes";
  const auto runtime = from_environment("XDG_RUNTIME_DIR");
  paths.runtime = runtime.empty() ? paths.state / "run" : runtime / "vibes";
  return paths;
}

Result<void> make_private_directory(const std::filesystem::path& dir) {
  const auto parent = dir.parent_path();
  if (!parent.empty() && parent != dir && ::access(parent.c_str(), F_OK) != 0) {
    VIBES_TRY(make_private_directory(parent));
  }
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot create directory " + dir.string());
  }
  struct stat st {};
  if (::lstat(dir.c_str(), &st) != 0) {
    return fail_errno("cannot look at " + dir.string());
  }
  if (!S_ISDIR(st.st_mode)) {
    return fail(std::make_error_code(std::errc::not_a_directory), dir.string());
  }
  if (st.st_uid != ::geteuid()) {
    return fail(std::make_error_code(std::errc::permission_denied),
                dir.string() + " belongs to user " + std::to_string(st.st_uid) + ", not to us");
  }
  if ((st.st_mode & 022U) != 0) {
    return fail(std::make_error_code(std::errc::permission_denied),
                dir.string() + " may be written by others; chmod go-w it");
  }
  return {};
}

}  // namespace vibes
