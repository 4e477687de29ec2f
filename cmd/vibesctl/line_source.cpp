// SPDX-License-Identifier: MIT
#include "line_source.hpp"

#include <algorithm>

#include <poll.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "event/errc.hpp"

namespace vibes::ctl {
namespace {

/// White space around an event does not count against its size.
constexpr std::size_t kLineBytesMax = limits::kEventBytesMax + 4 * limits::kKiB;

Result<std::size_t> read_some(int fd, std::string& buffer, std::size_t bytes) {
  const std::size_t before = buffer.size();
  buffer.resize(before + bytes);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data() + before, bytes);
    if (got >= 0) {
      buffer.resize(before + static_cast<std::size_t>(got));
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) {
      return fail_errno("cannot read standard input");
    }
  }
}

}  // namespace

/// Or a piece of one that is too long, or the end.
bool LineSource::has_line() const {
  return ended_ || buffer_.find('\n', used_) != std::string::npos ||
         buffer_.size() - used_ > kLineBytesMax;
}

Result<void> LineSource::read_more(std::size_t bytes) {
  buffer_.erase(0, used_);
  used_ = 0;
  VIBES_TRY_ASSIGN(got, read_some(fd_, buffer_, bytes));
  ended_ = got == 0;
  if (skipping_) {
    const auto end = buffer_.find('\n');
    skipping_ = end == std::string::npos;
    buffer_.erase(0, skipping_ ? end : end + 1);
  }
  return {};
}

Result<bool> LineSource::ready(std::size_t bytes) {
  while (!has_line()) {
    pollfd input{fd_, POLLIN, 0};
    if (::poll(&input, 1, 0) == 0) {
      return false;
    }
    VIBES_TRY(read_more(bytes));
  }
  return true;
}

Result<LineSource::Lines> LineSource::next(std::size_t bytes) {
  while (!has_line()) {
    VIBES_TRY(read_more(bytes));
  }
  buffer_.erase(0, used_);
  used_ = 0;
  Lines result;
  result.first_number = number_;
  while (used_ < buffer_.size() && used_ < bytes) {
    const auto end = buffer_.find('\n', used_);
    const bool whole = end != std::string::npos;
    if (!whole && !ended_ && buffer_.size() - used_ <= kLineBytesMax) {
      break;
    }
    const std::size_t stop = whole ? end : buffer_.size();
    result.lines.push_back(std::string_view(buffer_).substr(used_, stop - used_));
    used_ = whole ? stop + 1 : stop;
    ++number_;
    if (!whole && !ended_) {
      result.overlong = skipping_ = true;
    }
  }
  result.at_end = ended_ && used_ == buffer_.size();
  return result;
}

Result<std::string> read_all(int fd, std::size_t bytes_max) {
  std::string all;
  for (;;) {
    VIBES_TRY_ASSIGN(got, read_some(fd, all, 64 * limits::kKiB));
    if (got == 0) {
      return all;
    }
    if (all.size() > bytes_max) {
      return fail(event::make_error_code(event::Errc::too_large), "standard input");
    }
  }
}

}  // namespace vibes::ctl
