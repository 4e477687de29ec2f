// SPDX-License-Identifier: MIT
#include "eventlog/open.hpp"

#include <filesystem>
#include <string>

#include "eventlog/copy_target.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/file/file_event_log.hpp"
#include "eventlog/file/read_only_log.hpp"
#include "eventlog/memory/memory_event_log.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog {
namespace {

constexpr std::string_view kFileScheme = "file:";
constexpr std::string_view kMemoryUrl = "memory:";

/// The absolute directory of `file:DIR`, `file:///DIR` or a bare path.
Result<std::string> directory_of(std::string_view url) {
  std::string_view path = url;
  if (path.starts_with(kFileScheme)) {
    path.remove_prefix(kFileScheme.size());
    if (path.starts_with("///")) {
      path.remove_prefix(2);
    }
  } else if (path.find(':') < path.find('/')) {
    return fail(Errc::bad_url, "'" + std::string(url) + "'; use file:DIR or memory:");
  }
  std::error_code error;
  auto absolute = std::filesystem::absolute(std::filesystem::path(path), error).lexically_normal();
  if (path.empty() || error) {
    return fail(Errc::bad_url, "'" + std::string(url) + "' names no directory");
  }
  if (!absolute.has_filename() && absolute.has_parent_path()) {
    absolute = absolute.parent_path();  // a slash at the end
  }
  return absolute.string();
}

}  // namespace

Result<std::unique_ptr<EventLog>> open_log(std::string_view url, const LogOptions& options) {
  VIBES_TRY_ASSIGN(log, open_copy_target(url, options));
  return std::unique_ptr<EventLog>(std::move(log));
}

Result<std::unique_ptr<CopyTarget>> open_copy_target(std::string_view url,
                                                     const LogOptions& options) {
  if (url == kMemoryUrl) {
    return make_memory_log(options);
  }
  VIBES_TRY_ASSIGN(directory, directory_of(url));
  VIBES_TRY_ASSIGN(log, file::FileEventLog::open(directory, options));
  return std::unique_ptr<CopyTarget>(std::move(log));
}

Result<std::unique_ptr<EventLog>> open_log_read_only(std::string_view url,
                                                     io::FileSystem* file_system) {
  if (url == kMemoryUrl) {
    return fail(Errc::bad_url,
                "a memory log lives in its process; only file logs can be looked at");
  }
  VIBES_TRY_ASSIGN(directory, directory_of(url));
  io::FileSystem& fs = file_system != nullptr ? *file_system : io::posix_file_system();
  VIBES_TRY_ASSIGN(log, file::ReadOnlyLog::open(fs, directory));
  return std::unique_ptr<EventLog>(std::move(log));
}

}  // namespace vibes::eventlog
