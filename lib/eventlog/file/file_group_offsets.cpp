// SPDX-License-Identifier: MIT
#include "eventlog/file/file_group_offsets.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/file/format.hpp"

namespace vibes::eventlog::file {
namespace {

namespace at = format::group;

constexpr std::string_view kEnding = ".group";
constexpr std::string_view kTemporaryEnding = ".tmp";
constexpr std::size_t kFileBytesMax = at::kName + limits::kGroupNameBytesMax;

Result<std::string> read_all(io::FileSystem& fs, const std::string& path) {
  VIBES_TRY_ASSIGN(file, fs.open(path, io::OpenMode::read_only));
  std::array<std::byte, kFileBytesMax + 1> bytes{};
  VIBES_TRY_ASSIGN(got, file->read_at(0, bytes));
  return std::string(reinterpret_cast<const char*>(bytes.data()), got);
}

}  // namespace

std::string encode_group_file(const GroupCommit& commit) {
  std::string bytes(at::kName, '\0');
  bytes += commit.group;
  char* b = bytes.data();
  store_le(b + at::kMagic, format::kGroupMagic);
  store_le(b + at::kVersionAt, format::kVersion);
  std::memcpy(b + at::kLogId, commit.log_id.bytes.data(), commit.log_id.bytes.size());
  store_le(b + at::kNext, commit.next.value());
  store_le(b + at::kNameBytes, static_cast<std::uint32_t>(commit.group.size()));
  store_le(b + at::kCrc, crc32c(std::string_view(bytes).substr(at::kLogId)));
  return bytes;
}

Result<GroupCommit> parse_group_file(std::string_view bytes) {
  const char* b = bytes.data();
  if (bytes.size() <= at::kName || bytes.size() > kFileBytesMax ||
      load_le<std::uint64_t>(b + at::kMagic) != format::kGroupMagic) {
    return fail(Errc::corrupt, "at byte 0: not the commit of a group");
  }
  if (load_le<std::uint32_t>(b + at::kVersionAt) > format::kVersion) {
    return fail(Errc::unsupported_format, "a commit of a newer format");
  }
  if (load_le<std::uint32_t>(b + at::kVersionAt) != format::kVersion ||
      load_le<std::uint32_t>(b + at::kCrc) != crc32c(bytes.substr(at::kLogId)) ||
      load_le<std::uint32_t>(b + at::kNameBytes) != bytes.size() - at::kName) {
    return fail(Errc::corrupt, "at byte 0: the commit is not whole");
  }
  GroupCommit commit;
  std::memcpy(commit.log_id.bytes.data(), b + at::kLogId, commit.log_id.bytes.size());
  commit.next = Offset(load_le<std::uint64_t>(b + at::kNext));
  commit.group = bytes.substr(at::kName);
  if (!is_group_name(commit.group)) {
    return fail(Errc::corrupt, "at byte 44: not a group name");
  }
  return commit;
}

Result<GroupCommit> read_group_file(io::FileSystem& fs, const std::string& path) {
  VIBES_TRY_ASSIGN(bytes, read_all(fs, path));
  auto commit = parse_group_file(bytes);
  if (!commit) {
    return fail(commit.error().code, path + " " + commit.error().context);
  }
  return commit;
}

FileGroupOffsets::FileGroupOffsets(io::FileSystem& fs, const Layout& layout, const Uuid& log_id,
                                   Access access)
    : fs_(fs), layout_(layout), log_id_(log_id), access_(access) {}

Result<std::unique_ptr<FileGroupOffsets>> FileGroupOffsets::open(io::FileSystem& fs,
                                                                 const Layout& layout,
                                                                 const Uuid& log_id, Offset end,
                                                                 Access access, BeyondEnd beyond) {
  std::unique_ptr<FileGroupOffsets> groups(new FileGroupOffsets(fs, layout, log_id, access));
  groups->end_ = [end] { return end; };
  VIBES_TRY(groups->load(end, beyond));
  return groups;
}

Result<void> FileGroupOffsets::load(Offset end, BeyondEnd beyond) {
  VIBES_TRY_ASSIGN(exists, fs_.exists(layout_.offsets()));
  if (!exists) {
    return {};
  }
  VIBES_TRY_ASSIGN(names, fs_.list(layout_.offsets()));
  for (const std::string& name : names) {
    const std::string path = layout_.offsets() + "/" + name;
    if (name.ends_with(kTemporaryEnding)) {
      if (access_ == Access::read_write) {
        VIBES_TRY(fs_.remove(path));
      }
      continue;
    }
    if (!name.ends_with(kEnding)) {
      continue;
    }
    VIBES_TRY_ASSIGN(commit, read_group_file(fs_, path));
    if (commit.log_id != log_id_ || commit.group + std::string(kEnding) != name) {
      return fail(Errc::corrupt, path + " at byte 16: the commit of another group or log");
    }
    if (commit.next > end && beyond == BeyondEnd::refuse) {
      return fail(Errc::corrupt,
                  path + " at byte 32: group '" + commit.group + "' has read up to offset " +
                      std::to_string(commit.next.value()) + ", but the log ends at " +
                      std::to_string(end.value()) + ": events that were acknowledged are gone");
    }
    const MutexLock lock(mutex_);
    groups_[commit.group] = std::min(commit.next, end);
  }
  return {};
}

std::string FileGroupOffsets::path_of(std::string_view group) const {
  return layout_.offsets() + "/" + std::string(group) + std::string(kEnding);
}

Result<void> FileGroupOffsets::commit(std::string_view group, Offset next) {
  if (!is_group_name(group)) {
    return fail(Errc::bad_group_name, std::string(group));
  }
  if (access_ == Access::read_only) {
    return fail(Errc::closed, "opened for reading only");
  }
  if (next > end_()) {
    return fail(Errc::bad_commit,
                "group '" + std::string(group) + "', offset " + std::to_string(next.value()));
  }
  const MutexLock writing(writing_);
  {
    const MutexLock lock(mutex_);
    const auto it = groups_.find(group);
    if (it != groups_.end() && it->second == next) {
      return {};
    }
    if (it == groups_.end() && groups_.size() >= limits::kGroupsMax) {
      return fail(Errc::too_many_groups, "at most " + std::to_string(limits::kGroupsMax));
    }
  }
  VIBES_TRY(write(group, next));
  const MutexLock lock(mutex_);
  groups_.insert_or_assign(std::string(group), next);
  return {};
}

Result<void> FileGroupOffsets::write(std::string_view group, Offset next) {
  const std::string temporary =
      layout_.offsets() + "/" + std::string(group) + std::string(kTemporaryEnding);
  VIBES_TRY_ASSIGN(left_over, fs_.exists(temporary));
  if (left_over) {
    VIBES_TRY(fs_.remove(temporary));
  }
  const std::string bytes = encode_group_file({std::string(group), log_id_, next});
  VIBES_TRY_ASSIGN(file, fs_.open(temporary, io::OpenMode::create_new));
  VIBES_TRY(file->write_at(0, std::as_bytes(std::span(bytes))));
  VIBES_TRY(file->sync_data());
  VIBES_TRY(fs_.rename(temporary, path_of(group)));
  return fs_.sync_directory(layout_.offsets());
}

std::optional<Offset> FileGroupOffsets::committed(std::string_view group) const {
  const MutexLock lock(mutex_);
  const auto it = groups_.find(group);
  return it == groups_.end() ? std::nullopt : std::optional(it->second);
}

std::map<std::string, Offset, std::less<>> FileGroupOffsets::all() const {
  const MutexLock lock(mutex_);
  return groups_;
}

Result<void> FileGroupOffsets::remove(std::string_view group) {
  if (access_ == Access::read_only) {
    return fail(Errc::closed, "opened for reading only");
  }
  const MutexLock writing(writing_);
  {
    const MutexLock lock(mutex_);
    if (groups_.find(group) == groups_.end()) {
      return fail(Errc::not_found, "group '" + std::string(group) + "'");
    }
  }
  VIBES_TRY(fs_.remove(path_of(group)));
  VIBES_TRY(fs_.sync_directory(layout_.offsets()));
  const MutexLock lock(mutex_);
  groups_.erase(groups_.find(group));
  return {};
}

}  // namespace vibes::eventlog::file
