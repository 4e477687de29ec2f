// SPDX-License-Identifier: MIT
#include "client/spool.hpp"

#include <algorithm>
#include <charconv>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/paths.hpp"
#include "client/errc.hpp"
#include "client/spool_reader.hpp"
#include "event/codec.hpp"

namespace vibes::client {
namespace {

using std::filesystem::path;

constexpr const char* kEvents = "events";
constexpr const char* kDraining = "draining";
constexpr const char* kDrained = "drained";
constexpr const char* kRefused = "refused";

Result<UniqueFd> open_file(const path& file, int flags) {
  UniqueFd fd(::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    return fail_errno("cannot open " + file.string());
  }
  return fd;
}

/// Held until closed.
Result<UniqueFd> lock_file(const path& file, Deadline deadline) {
  constexpr std::chrono::milliseconds kBetweenTries{5};
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDWR | O_CREAT));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail_errno("cannot lock " + file.string());
    }
    if (left_until(deadline).count() == 0) {
      return fail(make_error_code(Errc::timed_out), "waiting for " + file.string());
    }
    std::this_thread::sleep_for(kBetweenTries);  // flock(2) knows no deadline
  }
  return fd;
}

std::uint64_t size_of(const path& file) {
  struct stat st {};
  return ::stat(file.c_str(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

Result<void> write_all(int fd, std::string_view bytes, const path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("cannot write " + file.string());
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return {};
}

/// Cuts off a last line that lacks its newline. Returns the size left.
Result<std::uint64_t> cut_torn_tail(int fd, const path& file) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) {
    return fail_errno("cannot look at " + file.string());
  }
  auto size = static_cast<std::uint64_t>(st.st_size);
  char last = '\n';
  std::uint64_t whole = size;
  while (whole > 0 && ::pread(fd, &last, 1, static_cast<off_t>(whole - 1)) == 1 && last != '\n') {
    --whole;
  }
  if (whole != size && ::ftruncate(fd, static_cast<off_t>(whole)) != 0) {
    return fail_errno("cannot cut " + file.string());
  }
  return whole;
}

std::string lines_of(std::span<const event::NewEvent> events) {
  std::string lines;
  for (const event::NewEvent& event : events) {
    VIBES_ASSERT(event.event_id && event.payload.find('\n') == std::string::npos);
    lines += to_string(*event.event_id);
    lines += ' ';
    lines += event.payload;
    lines += '\n';
  }
  return lines;
}

/// How much of `draining` has been delivered.
std::uint64_t read_progress(const path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char text[24] = {};
  const ssize_t got = fd ? ::read(fd.get(), text, sizeof text) : -1;
  std::uint64_t progress = 0;
  if (got > 0) {
    (void)std::from_chars(text, text + got, progress);
  }
  return progress;
}

Result<void> write_progress(const path& file, std::uint64_t progress) {
  // Fixed width and one write: a reader sees the old number or the new one.
  VIBES_TRY_ASSIGN(fd, open_file(file, O_WRONLY | O_CREAT));
  std::string text = std::to_string(progress);
  text.insert(0, 20 - text.size(), '0');
  text += '\n';
  if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::fdatasync(fd.get()) != 0) {
    return fail_errno("cannot write " + file.string());
  }
  return {};
}

Result<void> remove_file(const path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    return fail_errno("cannot remove " + file.string());
  }
  return {};
}

}  // namespace

Result<void> Spool::append(std::span<const event::NewEvent> events) {
  VIBES_TRY(make_private_directory(directory_));
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "lock", kNever));
  const path file = directory_ / kEvents;
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDWR | O_CREAT | O_APPEND));
  VIBES_TRY_ASSIGN(size, cut_torn_tail(fd.get(), file));
  const std::string lines = lines_of(events);
  if (size + size_of(directory_ / kDraining) + lines.size() > limits::kSpoolBytesMax) {
    return fail(make_error_code(Errc::spool_full),
                directory_.string() + " holds more than 256 MiB");
  }
  auto written = write_all(fd.get(), lines, file);
  if (written && ::fdatasync(fd.get()) != 0) {
    written = fail_errno("cannot sync " + file.string());
  }
  if (!written) {
    // All or none: what did get written must not be delivered behind the caller's back.
    (void)::ftruncate(fd.get(), static_cast<off_t>(size));
    return written;
  }
  return size == 0 ? sync_directory() : Result<void>();
}

Result<std::uint64_t> Spool::drain(std::size_t batch_bytes, Deadline deadline,
                                   const Deliver& deliver) {
  if (is_empty()) {
    return std::uint64_t{0};
  }
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "drain.lock", deadline));
  std::uint64_t delivered = 0;
  for (;;) {
    VIBES_TRY_ASSIGN(more, take_over());
    if (!more) {
      return delivered;
    }
    VIBES_TRY_ASSIGN(count, drain_file(batch_bytes, deliver));
    delivered += count;
  }
}

Result<bool> Spool::take_over() {
  const path draining = directory_ / kDraining;
  if (::access(draining.c_str(), F_OK) == 0) {
    return true;
  }
  if (::access((directory_ / kDrained).c_str(), F_OK) == 0) {
    VIBES_TRY(remove_file(directory_ / kDrained));
    VIBES_TRY(sync_directory());
  }
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "lock", kNever));
  if (size_of(directory_ / kEvents) == 0) {
    return false;
  }
  if (::rename((directory_ / kEvents).c_str(), draining.c_str()) != 0) {
    return fail_errno("cannot rename to " + draining.string());
  }
  VIBES_TRY(sync_directory());
  return true;
}

Result<std::uint64_t> Spool::drain_file(std::size_t batch_bytes, const Deliver& deliver) {
  const path file = directory_ / kDraining;
  const path progress_file = directory_ / kDrained;
  std::uint64_t progress = read_progress(progress_file);
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDONLY));
  SpoolReader reader(fd.get(), progress);
  std::uint64_t delivered = 0;
  for (;;) {
    VIBES_TRY_ASSIGN(batch, reader.next(batch_bytes));
    if (!batch.events.empty()) {
      VIBES_TRY(deliver(batch.events));
      delivered += batch.events.size();
    }
    for (const SpoolReader::Damaged& line : batch.damaged) {
      event::NewEvent as_text;
      as_text.payload = line.text;
      VIBES_TRY(set_aside(as_text, line.why));
    }
    if (reader.position() == progress) {
      break;
    }
    progress = reader.position();
    VIBES_TRY(write_progress(progress_file, progress));
  }
  // `drained` goes first: without `draining` it would be taken for the next one's.
  VIBES_TRY(remove_file(progress_file));
  VIBES_TRY(sync_directory());
  VIBES_TRY(remove_file(file));
  VIBES_TRY(sync_directory());
  return delivered;
}

Result<void> Spool::set_aside(const event::NewEvent& event, std::string_view reason) {
  std::string line = R"({"event_id":)";
  line += event.event_id ? '"' + to_string(*event.event_id) + '"' : std::string("null");
  line += R"(,"reason":)";
  event::append_json_string(line, reason);
  line += R"(,"event":)";
  // As text: what was refused need not be JSON.
  event::append_json_string(line, event.payload);
  line += "}\n";
  const path file = directory_ / kRefused;
  VIBES_TRY_ASSIGN(fd, open_file(file, O_WRONLY | O_CREAT | O_APPEND));
  VIBES_TRY(write_all(fd.get(), line, file));
  if (::fsync(fd.get()) != 0) {
    return fail_errno("cannot sync " + file.string());
  }
  return sync_directory();
}

bool Spool::is_empty() const { return bytes() == 0; }

std::uint64_t Spool::bytes() const {
  return size_of(directory_ / kEvents) + size_of(directory_ / kDraining);
}

Result<void> Spool::sync_directory() const {
  const UniqueFd fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return fail_errno("cannot sync " + directory_.string());
  }
  return {};
}

std::string to_one_line(std::string_view json) {
  std::string line(json);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace vibes::client
