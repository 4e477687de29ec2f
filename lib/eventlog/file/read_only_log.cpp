// SPDX-License-Identifier: MIT
#include "eventlog/file/read_only_log.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "eventlog/errc.hpp"
#include "eventlog/file/log_directory.hpp"
#include "eventlog/file/recovery.hpp"

namespace vibes::eventlog::file {
namespace {

/// A daemon may be in the middle of a write, a rotation or a removal: look again once.
constexpr std::chrono::milliseconds kLookAgainAfter{50};

}  // namespace

ReadOnlyLog::ReadOnlyLog(io::FileSystem& fs, Layout layout, const Uuid& log_id, Offset end)
    : layout_(std::move(layout)),
      log_id_(log_id),
      store_(fs, layout_, SegmentStore::Access::read_only),
      signal_(end) {}

Result<std::unique_ptr<ReadOnlyLog>> ReadOnlyLog::open(io::FileSystem& fs,
                                                       const std::string& directory) {
  const Layout layout(directory);
  VIBES_TRY_ASSIGN(ours, holds_log(fs, layout));
  if (!ours) {
    VIBES_TRY_ASSIGN(exists, fs.exists(directory));
    return exists ? fail(Errc::foreign, directory)
                  : fail(std::make_error_code(std::errc::no_such_file_or_directory), directory);
  }
  if (auto log = try_open(fs, layout)) {
    return log;
  }
  std::this_thread::sleep_for(kLookAgainAfter);
  return try_open(fs, layout);
}

Result<std::unique_ptr<ReadOnlyLog>> ReadOnlyLog::try_open(io::FileSystem& fs,
                                                           const Layout& layout) {
  VIBES_TRY_ASSIGN(recovered, recover(fs, layout, RecoveryMode::look));
  if (!recovered.log_id) {
    return fail(Errc::foreign, layout.directory() + " has no segments");
  }
  std::unique_ptr<ReadOnlyLog> log(new ReadOnlyLog(fs, layout, *recovered.log_id, recovered.end));
  log->recovery_ = recovered.report;
  for (const SegmentInfo& segment : recovered.sealed) {
    log->store_.add_sealed(segment);
  }
  if (recovered.active) {
    log->store_.add_active(recovered.active->info, std::move(recovered.active->file),
                           std::move(recovered.active->sparse));
  }
  VIBES_TRY_ASSIGN(groups, FileGroupOffsets::open(fs, layout, *recovered.log_id, recovered.end,
                                                  FileGroupOffsets::Access::read_only,
                                                  FileGroupOffsets::BeyondEnd::clamp));
  log->groups_ = std::move(groups);
  return log;
}

Result<void> ReadOnlyLog::append(std::vector<event::NewEvent> /*batch*/, AppendDone /*done*/) {
  return fail(Errc::closed, layout_.directory() + " was opened for reading only");
}

ReadSource ReadOnlyLog::source() const { return {store_, tail_, signal_, layout_, Seal(log_id_)}; }

Result<std::unique_ptr<Reader>> ReadOnlyLog::reader(const Position& position) {
  VIBES_TRY_ASSIGN(offset, resolve(position));
  return std::unique_ptr<Reader>(std::make_unique<FileReader>(source(), offset));
}

Result<Offset> ReadOnlyLog::resolve(const Position& position) {
  if (!std::holds_alternative<AtEventId>(position)) {
    return resolve_without_ids(source(), position);
  }
  const Uuid event_id = std::get<AtEventId>(position).event_id;
  const std::vector<SegmentInfo> segments = store_.list();
  for (auto it = segments.rbegin(); it != segments.rend(); ++it) {
    VIBES_TRY_ASSIGN(found, store_.find_id(*it, event_id));
    if (found) {
      return *found;
    }
  }
  return fail(Errc::not_found, "event_id " + to_string(event_id));
}

LogStatus ReadOnlyLog::status() const {
  LogStatus status;
  status.state = LogStatus::State::read_only;
  status.reason = "opened for reading only";
  status.url = "file:" + layout_.directory();
  status.bytes = store_.bytes();
  status.segments = store_.count();
  status.recovery = recovery_;
  return status;
}

}  // namespace vibes::eventlog::file
