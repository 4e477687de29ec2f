// SPDX-License-Identifier: MIT
#include "client/spool.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/durable_write.hpp"
#include "base/limits.hpp"
#include "base/paths.hpp"
#include "client/errc.hpp"
#include "client/spool_reader.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"

namespace vibes::client {
namespace {

using std::filesystem::path;

constexpr const char* kEvents = "events";
constexpr const char* kDraining = "draining";
constexpr const char* kDrained = "drained";
constexpr const char* kRefused = "refused";
constexpr const char* kLost = "lost";

Result<UniqueFd> open_file(const path& file, int flags) {
  UniqueFd fd(::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    return fail_errno("cannot open " + file.string());
  }
  return fd;
}

/// Held until closed.
Result<UniqueFd> lock_file(const path& file, Deadline deadline) {
  constexpr std::chrono::milliseconds kBetweenTries{1};
  const int how = deadline == kNever ? LOCK_EX : LOCK_EX | LOCK_NB;
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDWR | O_CREAT));
  while (::flock(fd.get(), how) != 0) {
    if (errno == EINTR) {
      continue;
    }
    if (errno != EWOULDBLOCK) {
      return fail_errno("cannot lock " + file.string());
    }
    if (left_until(deadline).count() == 0) {
      return fail(make_error_code(Errc::timed_out), "waiting for " + file.string());
    }
    std::this_thread::sleep_for(kBetweenTries);  // flock(2) knows no deadline
  }
  return fd;
}

Result<void> check_time(Deadline until) {
  return std::chrono::steady_clock::now() < until
             ? Result<void>()
             : fail(make_error_code(Errc::timed_out), "draining the spool");
}

std::uint64_t size_of(const path& file) {
  struct stat st {};
  return ::stat(file.c_str(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

/// Where the last whole line of the first `size` bytes ends.
Result<std::uint64_t> end_of_lines(int fd, std::uint64_t size, const path& file) {
  std::array<char, 64 * limits::kKiB> block{};
  while (size > 0) {
    const auto bytes = std::min<std::uint64_t>(size, block.size());
    const ssize_t got = ::pread(fd, block.data(), bytes, static_cast<off_t>(size - bytes));
    if (got != static_cast<ssize_t>(bytes)) {
      return fail_errno("cannot read " + file.string());
    }
    const auto newline = std::string_view(block.data(), bytes).rfind('\n');
    if (newline != std::string_view::npos) {
      return size - bytes + newline + 1;
    }
    size -= bytes;
  }
  return size;
}

/// Cuts off a last line that lacks its newline. Returns the size left.
Result<std::uint64_t> cut_torn_tail(int fd, const path& file) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) {
    return fail_errno("cannot look at " + file.string());
  }
  const auto size = static_cast<std::uint64_t>(st.st_size);
  VIBES_TRY_ASSIGN(whole, end_of_lines(fd, size, file));
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

/// A small file's beginning, empty if there is none.
std::string read_note(const path& file) {
  constexpr std::size_t kNoteBytesMax = 256;
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string text(kNoteBytesMax, '\0');
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

/// One write of always the same width: a reader sees the old note or the new one.
Result<void> write_note(const path& file, std::string_view text) {
  VIBES_TRY_ASSIGN(fd, open_file(file, O_WRONLY | O_CREAT));
  if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::fdatasync(fd.get()) != 0) {
    return fail_errno("cannot write " + file.string());
  }
  return {};
}

std::string fixed_width(std::uint64_t number) {
  std::string text = std::to_string(number);
  return text.insert(0, 20 - text.size(), '0');
}

/// How much of `draining` has been delivered.
std::uint64_t read_progress(const path& file) {
  const std::string text = read_note(file);
  std::uint64_t progress = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), progress);
  return progress;
}

/// What the file `lost` says: an id for the event that will tell, how many, since when, until when.
struct Losses {
  Uuid id;
  std::uint64_t events = 0;
  std::string first;
  std::string last;
};

std::optional<Losses> read_losses(const path& file) {
  std::istringstream text(read_note(file));
  std::string id;
  Losses losses;
  text >> id >> losses.events >> losses.first >> losses.last;
  const auto parsed = parse_uuid(id);
  if (!parsed || !parse_rfc3339(losses.first) || !parse_rfc3339(losses.last)) {
    return std::nullopt;
  }
  losses.id = *parsed;
  return losses;
}

Result<void> remove_file(const path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    return fail_errno("cannot remove " + file.string());
  }
  return {};
}

}  // namespace

Result<void> Spool::append(std::span<const event::NewEvent> events, Deadline deadline) {
  VIBES_TRY(make_private_directory(directory_));
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "lock", deadline));
  const path file = directory_ / kEvents;
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDWR | O_CREAT | O_APPEND));
  VIBES_TRY_ASSIGN(size, cut_torn_tail(fd.get(), file));
  std::string lines;
  VIBES_TRY(add_losses(lines));
  lines += lines_of(events);
  if (size + size_of(directory_ / kDraining) + lines.size() > limits::kSpoolBytesMax) {
    return fail(make_error_code(Errc::spool_full),
                directory_.string() + " holds more than 256 MiB");
  }
  VIBES_TRY(write_lines(fd.get(), lines, size));
  if (::access((directory_ / kLost).c_str(), F_OK) == 0) {
    return forget_losses(fd.get());
  }
  // What is written is in its place. Appenders wait for the disk together, not for each other.
  lock.reset();
  return sync_lines(fd.get());
}

Result<void> Spool::write_lines(int fd, std::string_view lines, std::uint64_t size) {
  if (size == 0) {
    // First of all: whoever comes next finds a file that a crash does not take with it.
    VIBES_TRY(sync_folder(directory_));
  }
  auto written = write_all(fd, lines, directory_ / kEvents);
  if (!written) {
    // All or none: what did get written must not be delivered behind the caller's back.
    (void)::ftruncate(fd, static_cast<off_t>(size));
  }
  return written;
}

Result<void> Spool::sync_lines(int fd) {
  return ::fdatasync(fd) == 0 ? Result<void>()
                              : fail_errno("cannot sync " + (directory_ / kEvents).string());
}

Result<void> Spool::forget_losses(int fd) {
  VIBES_TRY(sync_lines(fd));
  VIBES_TRY(remove_file(directory_ / kLost));
  return sync_folder(directory_);
}

Result<void> Spool::count_lost(std::uint64_t events, Timestamp now, Deadline deadline) {
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "lock", deadline));
  const path file = directory_ / kLost;
  const std::string time = format_rfc3339(now);
  const auto before = read_losses(file);
  const Losses losses = before.value_or(Losses{UuidV7Generator().next(now), 0, time, time});
  VIBES_TRY(write_note(file, to_string(losses.id) + " " + fixed_width(losses.events + events) +
                                 " " + losses.first + " " + time + "\n"));
  return before ? Result<void>() : sync_folder(directory_);
}

Result<void> Spool::add_losses(std::string& lines) const {
  const path file = directory_ / kLost;
  if (::access(file.c_str(), F_OK) != 0) {
    return {};
  }
  // A note that cannot be read is dropped with the next append: nothing is known of it.
  if (const auto losses = read_losses(file)) {
    VIBES_TRY_ASSIGN(event, event::check(R"({"type":"spool_full","lost":)" +
                                         std::to_string(losses->events) + R"(,"first":")" +
                                         losses->first + R"(","last":")" + losses->last + R"("})"));
    event.event_id = losses->id;
    lines += lines_of({&event, 1});
  }
  return {};
}

Result<std::uint64_t> Spool::drain(std::size_t batch_bytes, Deadline deadline,
                                   const Deliver& deliver, Deadline until) {
  if (is_empty()) {
    return std::uint64_t{0};
  }
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "drain.lock", deadline));
  std::uint64_t delivered = 0;
  for (;;) {
    VIBES_TRY_ASSIGN(more, take_over(until));
    if (!more) {
      return delivered;
    }
    VIBES_TRY_ASSIGN(count, drain_file(batch_bytes, deliver, until));
    delivered += count;
  }
}

Result<bool> Spool::take_over(Deadline until) {
  VIBES_TRY(check_time(until));
  const path draining = directory_ / kDraining;
  if (::access(draining.c_str(), F_OK) == 0) {
    return true;
  }
  if (::access((directory_ / kDrained).c_str(), F_OK) == 0) {
    VIBES_TRY(remove_file(directory_ / kDrained));
    VIBES_TRY(sync_folder(directory_));
  }
  VIBES_TRY(check_time(until));
  VIBES_TRY_ASSIGN(lock, lock_file(directory_ / "lock", until));
  VIBES_TRY(tell_losses());
  if (size_of(directory_ / kEvents) == 0) {
    return false;
  }
  if (::rename((directory_ / kEvents).c_str(), draining.c_str()) != 0) {
    return fail_errno("cannot rename to " + draining.string());
  }
  lock.reset();  // until the next line is done a crash gives `events` back as it was
  VIBES_TRY(sync_folder(directory_));
  return true;
}

Result<void> Spool::tell_losses() {
  std::string lines;
  VIBES_TRY(add_losses(lines));
  if (lines.empty()) {
    return {};
  }
  const path file = directory_ / kEvents;
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDWR | O_CREAT | O_APPEND));
  VIBES_TRY_ASSIGN(size, cut_torn_tail(fd.get(), file));
  // There is room: `draining`, which was what filled the spool or is now, is not there.
  VIBES_TRY(write_lines(fd.get(), lines, size));
  return forget_losses(fd.get());
}

Result<std::uint64_t> Spool::drain_file(std::size_t batch_bytes, const Deliver& deliver,
                                        Deadline until) {
  const path file = directory_ / kDraining;
  const path progress_file = directory_ / kDrained;
  std::uint64_t progress = read_progress(progress_file);
  VIBES_TRY_ASSIGN(fd, open_file(file, O_RDONLY));
  SpoolReader reader(fd.get(), progress);
  std::uint64_t delivered = 0;
  for (;;) {
    VIBES_TRY(check_time(until));
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
    VIBES_TRY(write_note(progress_file, fixed_width(progress) + "\n"));
  }
  VIBES_TRY(remove_file(file));
  VIBES_TRY(sync_folder(directory_));
  // Last: without it all of `draining` would come again. If a crash brings it back, take_over()
  // sees that it is nobody's.
  VIBES_TRY(remove_file(progress_file));
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
  return sync_folder(directory_);
}

bool Spool::is_empty() const { return bytes() == 0; }

std::uint64_t Spool::bytes() const {
  return size_of(directory_ / kEvents) + size_of(directory_ / kDraining);
}

std::string to_one_line(std::string_view json) {
  std::string line(json);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace vibes::client
