// SPDX-License-Identifier: MIT
#include "cursor_file.hpp"

#include <fstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace vibes::ctl {

Result<std::optional<std::string>> CursorFile::load() const {
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) {
    return std::optional<std::string>();
  }
  std::ifstream in(file_);
  std::string cursor;
  if (!in) {
    return fail(std::make_error_code(std::errc::permission_denied),
                "cannot read " + file_.string());
  }
  in >> cursor;
  return cursor.empty() ? std::optional<std::string>() : std::optional(std::move(cursor));
}

Result<void> CursorFile::save(const std::string& cursor) {
  constexpr std::chrono::seconds kSyncEvery{1};
  if (cursor.empty() || cursor == saved_) {
    return {};
  }
  const auto now = std::chrono::steady_clock::now();
  const bool durable = now - synced_at_ >= kSyncEvery;
  VIBES_TRY(replace(cursor, durable));
  saved_ = cursor;
  synced_ = durable;
  synced_at_ = durable ? now : synced_at_;
  return {};
}

Result<void> CursorFile::sync() {
  if (!std::exchange(synced_, true)) {
    return replace(saved_, true);
  }
  return {};
}

Result<void> CursorFile::replace(const std::string& cursor, bool durable) {
  auto temporary = file_;
  temporary += ".new";
  {
    const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    const std::string line = cursor + "\n";
    if (!fd || ::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        (durable && ::fsync(fd.get()) != 0)) {
      return fail_errno("cannot write " + temporary.string());
    }
  }
  if (::rename(temporary.c_str(), file_.c_str()) != 0) {
    return fail_errno("cannot replace " + file_.string());
  }
  return {};
}

}  // namespace vibes::ctl
