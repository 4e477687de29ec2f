// SPDX-License-Identifier: MIT
#include "eventlog/file/log_directory.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include "base/clock.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {
namespace {

constexpr std::array<std::string_view, 5> kOurNames{"DURABLE", "LOCK", "log", "offsets",
                                                    "quarantine"};

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

Result<void> make_directories(io::FileSystem& fs, const std::string& path) {
  VIBES_TRY_ASSIGN(exists, fs.exists(path));
  if (exists) {
    return {};
  }
  VIBES_TRY(make_directories(fs, parent_of(path)));
  VIBES_TRY(fs.make_directory(path));
  return fs.sync_directory(parent_of(path));
}

Result<void> refuse_foreign(io::FileSystem& fs, const Layout& layout) {
  VIBES_TRY_ASSIGN(ours, holds_log(fs, layout));
  if (ours) {
    return {};
  }
  VIBES_TRY_ASSIGN(names, fs.list(layout.directory()));
  for (const std::string& name : names) {
    if (std::find(kOurNames.begin(), kOurNames.end(), name) == kOurNames.end()) {
      return fail(Errc::foreign, layout.directory() + " holds '" + name + "'");
    }
  }
  return {};
}

std::string holder() {
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  return "pid " + std::to_string(::getpid()) + ", boot " + boot_id + ", since " +
         format_rfc3339(system_clock().now()) + "\n";
}

}  // namespace

Result<bool> holds_log(io::FileSystem& fs, const Layout& layout) {
  return fs.exists(layout.durable());
}

Result<std::unique_ptr<io::FileLock>> lock_directory(io::FileSystem& fs, const Layout& layout) {
  VIBES_TRY(make_directories(fs, layout.directory()));
  VIBES_TRY(fs.check_private(layout.directory()));
  VIBES_TRY(refuse_foreign(fs, layout));
  auto lock = fs.lock(layout.lock(), holder());
  if (!lock) {
    if (lock.error().code == std::errc::resource_unavailable_try_again) {
      return fail(Errc::locked, lock.error().context);
    }
    return lock;
  }
  VIBES_TRY(make_directories(fs, layout.segments()));
  VIBES_TRY(make_directories(fs, layout.offsets()));
  VIBES_TRY(make_directories(fs, layout.quarantine()));
  // A name that an earlier process made may not be on disk yet, should it have died before its
  // sync.
  for (const std::string& directory : {layout.directory(), layout.segments(), layout.offsets()}) {
    VIBES_TRY(fs.sync_directory(directory));
  }
  // The parent may be one that we can pass but not read, and hence not sync.
  if (auto synced = fs.sync_directory(parent_of(layout.directory()));
      !synced && synced.error().code != std::errc::permission_denied) {
    return fail(std::move(synced).error());
  }
  return lock;
}

}  // namespace vibes::eventlog::file
