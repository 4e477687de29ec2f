// SPDX-License-Identifier: MIT
#include "consumers/dead_letters.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/codec.hpp"
#include "eventlog/group_offsets.hpp"
#include "io/file_system.hpp"
#include "io/replace_file.hpp"

namespace vibes::consumers {
namespace {

constexpr std::string_view kSuffix = ".jsonl";

std::string_view cut(std::string_view reason) {
  if (reason.size() <= limits::kDeadLetterReasonBytesMax) {
    return reason;
  }
  std::size_t end = limits::kDeadLetterReasonBytesMax;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0U) == 0x80U) {
    --end;  // not inside a character
  }
  return reason.substr(0, end);
}

std::string line_of(const DeadLetter& letter) {
  std::string line = fmt::format(R"({{"offset":{},"event_id":)", letter.offset.value());
  line += letter.event_id ? '"' + to_string(*letter.event_id) + '"' : "null";
  line += R"(,"reason":)";
  event::append_json_string(line, cut(letter.reason));
  line +=
      fmt::format(R"(,"attempts":{},"time":"{}"}})", letter.attempts, format_rfc3339(letter.time));
  line += '\n';
  return line;
}

/// The event that a line of ours is about.
Offset offset_in(std::string_view line) {
  constexpr std::string_view kHead = R"({"offset":)";
  std::uint64_t offset = 0;
  if (line.starts_with(kHead)) {
    (void)std::from_chars(line.data() + kHead.size(), line.data() + line.size(), offset);
  }
  return Offset(offset);
}

std::set<Offset> offsets_in(std::string_view lines) {
  std::set<Offset> offsets;
  for (std::size_t end = 0; (end = lines.find('\n')) != std::string_view::npos;) {
    offsets.insert(offset_in(lines.substr(0, end)));
    lines.remove_prefix(end + 1);
  }
  return offsets;
}

/// What is left of the end of `text` if at most `bytes_max` of whole lines are kept.
std::string_view whole_lines(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  // One byte earlier, so that a line starting exactly at the limit is seen to be whole.
  const std::size_t newline = text.find('\n', text.size() - bytes_max - 1);
  return newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
}

}  // namespace

Result<std::unique_ptr<DeadLetters>> DeadLetters::open(std::string directory,
                                                       io::FileSystem& file_system) {
  std::unique_ptr<DeadLetters> letters(new DeadLetters(std::move(directory), file_system));
  if (!letters->directory_.empty()) {
    const MutexLock lock(letters->mutex_);
    VIBES_TRY(letters->load());
  }
  return letters;
}

std::string DeadLetters::path_of(std::string_view group) const {
  return fmt::format("{}/{}{}", directory_, group, kSuffix);
}

Result<void> DeadLetters::load() {
  VIBES_TRY_ASSIGN(exists, file_system_.exists(directory_));
  if (!exists) {
    VIBES_TRY(file_system_.make_directory(directory_));
    return file_system_.sync_directory(directory_.substr(0, directory_.rfind('/') + 1));
  }
  VIBES_TRY_ASSIGN(names, file_system_.list(directory_));
  for (const std::string_view name : names) {
    const std::string_view group =
        name.substr(0, name.size() - std::min(name.size(), kSuffix.size()));
    if (!name.ends_with(kSuffix) || !eventlog::is_group_name(group)) {
      continue;
    }
    VIBES_TRY_ASSIGN(letters, load_file(path_of(group)));
    groups_.emplace(group, std::move(letters));
  }
  return {};
}

Result<DeadLetters::Letters> DeadLetters::load_file(const std::string& path) {
  VIBES_TRY_ASSIGN(file, file_system_.open(path, io::OpenMode::read_write));
  VIBES_TRY_ASSIGN(size, file->size());
  VIBES_TRY_ASSIGN(text, read(path, 0, size));
  Letters letters;
  letters.bytes = text.rfind('\n') + 1;  // npos + 1 is 0
  letters.offsets = offsets_in(text);
  letters.count = letters.offsets.size();
  if (letters.bytes != size) {
    VIBES_TRY(file->truncate(letters.bytes));
    VIBES_TRY(file->sync_data());
  }
  return letters;
}

Result<std::string> DeadLetters::read(const std::string& path, std::uint64_t from,
                                      std::uint64_t to) const {
  VIBES_TRY_ASSIGN(file, file_system_.open(path, io::OpenMode::read_only));
  std::string text(to - from, '\0');
  VIBES_TRY_ASSIGN(got, file->read_at(from, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  return text;
}

Result<void> DeadLetters::drop_older_half(std::string_view group, Letters& letters) {
  const std::string path = path_of(group);
  VIBES_TRY_ASSIGN(text, read(path, 0, letters.bytes));
  const std::string kept(whole_lines(text, text.size() / 2));
  VIBES_TRY(io::replace_file(file_system_, path, kept));
  letters.bytes = kept.size();
  letters.offsets = offsets_in(kept);
  return {};
}

Result<std::unique_ptr<io::File>> DeadLetters::open_file(std::string_view group,
                                                         const Letters& letters) {
  const std::string path = path_of(group);
  if (letters.bytes > 0) {
    return file_system_.open(path, io::OpenMode::read_write);
  }
  VIBES_TRY_ASSIGN(exists, file_system_.exists(path));
  VIBES_TRY_ASSIGN(
      file, file_system_.open(path, exists ? io::OpenMode::read_write : io::OpenMode::create_new));
  VIBES_TRY(file_system_.sync_directory(directory_));
  return file;
}

Result<void> DeadLetters::write(std::string_view group, Letters& letters, const std::string& line) {
  if (letters.bytes + line.size() > limits::kDeadLetterFileBytesMax) {
    VIBES_TRY(drop_older_half(group, letters));
  }
  VIBES_TRY_ASSIGN(file, open_file(group, letters));
  if (auto written = file->write_at(letters.bytes, std::as_bytes(std::span(line))); !written) {
    (void)file->truncate(letters.bytes);  // the next line is written over what is there anyway
    return written;
  }
  if (auto synced = file->sync_data(); !synced) {
    letters.failed = synced.error();
    return synced;
  }
  letters.bytes += line.size();
  return {};
}

Result<void> DeadLetters::add(std::string_view group, const DeadLetter& letter) {
  const std::string line = line_of(letter);
  const MutexLock lock(mutex_);
  Letters& letters = groups_.try_emplace(std::string(group)).first->second;
  if (letters.failed) {
    return fail(*letters.failed);
  }
  if (letters.offsets.contains(letter.offset)) {
    return {};
  }
  if (directory_.empty()) {
    letters.recent += line;
    if (letters.recent.size() > limits::kDeadLetterPageBytes) {
      letters.recent = whole_lines(letters.recent, limits::kDeadLetterPageBytes);
      letters.offsets = offsets_in(letters.recent);
    }
  } else {
    VIBES_TRY(write(group, letters, line));
  }
  letters.offsets.insert(letter.offset);
  ++letters.count;
  return {};
}

std::uint64_t DeadLetters::count(std::string_view group) const {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.count;
}

Result<std::string> DeadLetters::newest(std::string_view group, std::size_t bytes_max) const {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) {
    return std::string();
  }
  const Letters& letters = found->second;
  if (directory_.empty() || letters.bytes == 0) {
    return std::string(whole_lines(letters.recent, bytes_max));
  }
  // One byte more, so that a line starting exactly at the limit is seen to be whole.
  const std::uint64_t from = letters.bytes - std::min<std::uint64_t>(letters.bytes, bytes_max + 1);
  VIBES_TRY_ASSIGN(text, read(path_of(group), from, letters.bytes));
  return std::string(whole_lines(text, bytes_max));
}

Result<void> DeadLetters::remove(std::string_view group) {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) {
    return {};
  }
  if (!directory_.empty()) {
    VIBES_TRY_ASSIGN(exists, file_system_.exists(path_of(group)));
    if (exists) {
      VIBES_TRY(file_system_.remove(path_of(group)));
      VIBES_TRY(file_system_.sync_directory(directory_));
    }
  }
  groups_.erase(found);
  return {};
}

}  // namespace vibes::consumers
