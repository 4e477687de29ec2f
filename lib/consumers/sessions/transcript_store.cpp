// SPDX-License-Identifier: MIT
#include "consumers/sessions/transcript_store.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "base/uuid.hpp"
#include "event/payload.hpp"
#include "io/replace_file.hpp"

namespace vibes::consumers {
namespace {

constexpr std::string_view kRecord = ".json";
constexpr std::string_view kEntries = ".jsonl";
constexpr std::string_view kFresh = ".json.new";
// An id and a name, escaped, and a dozen numbers.
constexpr std::uint64_t kHeadlineBytesMax = 8'192;
// They mostly wait, and what waits at the same time shares the file system's commits.
constexpr std::size_t kSaversMax = 8;
constexpr std::size_t kSessionsPerSaver = 4;

/// The other session that a link is about.
std::string linked_session(event::PayloadValue payload) {
  const std::string_view session = payload.text("linked_session_id");
  return session.size() <= limits::kSessionBytesMax ? std::string(session) : std::string();
}

/// Cuts whole lines off the front until at most `bytes_max` bytes are left; returns how much.
std::uint64_t drop_oldest(std::string& lines, std::size_t bytes_max) {
  if (lines.size() <= bytes_max) {
    return 0;
  }
  const std::size_t line_end = lines.find('\n', lines.size() - bytes_max - 1);
  const std::size_t dropped = line_end == std::string::npos ? lines.size() : line_end + 1;
  lines.erase(0, dropped);
  return dropped;
}

}  // namespace

TranscriptStore::TranscriptStore(std::string directory, io::FileSystem& file_system, Limits limits)
    : directory_(std::move(directory)),
      file_system_(file_system),
      limits_(limits),
      payloads_(std::make_unique<event::PayloadReader>()) {}

TranscriptStore::~TranscriptStore() = default;

std::string TranscriptStore::path_of(std::string_view session, std::string_view suffix) const {
  const Uuid name = name_uuid(kUrlNamespace, "urn:vibes:session:" + std::string(session));
  return directory_ + '/' + to_string(name) + std::string(suffix);
}

Result<void> TranscriptStore::restart(Offset start, Offset first) {
  const MutexLock lock(mutex_);
  const bool anew = start == Offset(0) && first == Offset(0);
  if (directory_.empty() && !anew) {
    return {};  // what is in memory is as far as it ever was
  }
  hot_.clear();
  hot_bytes_ = 0;
  index_.clear();
  index_is_whole_ = false;
  ++restarts_;
  next_ = start;
  if (directory_.empty()) {
    return {};
  }
  VIBES_TRY_ASSIGN(exists, file_system_.exists(directory_));
  if (!exists) {
    VIBES_TRY(file_system_.make_directory(directory_));
    return file_system_.sync_directory(directory_.substr(0, directory_.rfind('/') + 1));
  }
  VIBES_TRY_ASSIGN(names, file_system_.list(directory_));
  bool removed = false;
  for (const std::string& name : names) {
    const bool ours = name.ends_with(kRecord) || name.ends_with(kEntries);
    if (name.ends_with(kFresh) || (anew && ours)) {
      VIBES_TRY(file_system_.remove(directory_ + '/' + name));
      removed = true;
    }
  }
  return removed ? file_system_.sync_directory(directory_) : Result<void>{};
}

Result<void> TranscriptStore::fold(const event::EventView& event) {
  const MutexLock lock(mutex_);
  if (!event.session.empty()) {
    VIBES_TRY(fold_into(std::string(event.session), event));
  }
  if (event.type == "session_linked") {
    const std::string linked = linked_session(payloads_->read(event.payload));
    if (!linked.empty() && linked != event.session) {
      VIBES_TRY(fold_into(linked, event));
    }
  }
  next_ = std::max(next_, event.offset + 1);
  return {};
}

Result<void> TranscriptStore::fold_into(const std::string& session, const event::EventView& event) {
  auto found = hot_.find(session);
  const bool is_new = found == hot_.end();
  if (hot_bytes_ >= limits_.bytes || (is_new && hot_.size() >= limits_.sessions)) {
    VIBES_TRY(make_room());
    found = hot_.find(session);
  }
  if (found == hot_.end()) {
    VIBES_TRY_ASSIGN(record, load(session));
    Transcript transcript = record ? Transcript(*std::move(record)) : Transcript(session);
    found = hot_.emplace(session, Hot{std::move(transcript)}).first;
  }
  Hot& hot = found->second;
  hot.used = ++uses_;
  const bool fresh = event.offset >= hot.transcript.record().next;
  hot.transcript.fold(event, *payloads_);
  hot.dirty = hot.dirty || fresh;
  const SessionRecord& record = hot.transcript.record();
  const bool shows = is_assessment_result(event.type) || event.type == "session_created";
  if (fresh && shows && record.assessment) {
    index_.put(headline_of(record));
  }
  hot_bytes_ -= hot.bytes;
  hot.bytes = hot.transcript.bytes();
  hot_bytes_ += hot.bytes;
  return {};
}

Result<std::optional<SessionRecord>> TranscriptStore::load(std::string_view session) const {
  if (directory_.empty()) {
    return std::optional<SessionRecord>();
  }
  const std::string path = path_of(session, kRecord);
  VIBES_TRY_ASSIGN(exists, file_system_.exists(path));
  if (!exists) {
    return std::optional<SessionRecord>();
  }
  VIBES_TRY_ASSIGN(file, file_system_.open(path, io::OpenMode::read_only));
  VIBES_TRY_ASSIGN(size, file->size());
  VIBES_TRY_ASSIGN(text, read(path, 0, size));
  auto record = parse_record(text);
  if (!record || record->id != session) {
    return fail(std::make_error_code(std::errc::bad_message), path);
  }
  if (record->entries_bytes > 0) {
    // Known now, it is this session's trouble; at a save it would be everybody's.
    VIBES_TRY(check_entries(path_of(session, kEntries), record->entries_bytes));
  }
  return std::optional(*std::move(record));
}

Result<void> TranscriptStore::check_entries(const std::string& path, std::uint64_t bytes) const {
  VIBES_TRY_ASSIGN(exists, file_system_.exists(path));
  if (exists) {
    VIBES_TRY_ASSIGN(file, file_system_.open(path, io::OpenMode::read_only));
    VIBES_TRY_ASSIGN(size, file->size());
    exists = size >= bytes;
  }
  return exists
             ? Result<void>{}
             : fail(std::make_error_code(std::errc::bad_message), path + ": entries are missing");
}

/// The sessions of the longest ago go, half of them at once, so that many sessions in turn do not
/// cost a save each.
Result<void> TranscriptStore::make_room() {
  if (directory_.empty()) {
    return {};
  }
  VIBES_TRY(save_dirty());
  count_bytes();
  // Often it was the entries that took the room, and they are on disk now.
  if (hot_.size() >= limits_.sessions || hot_bytes_ >= limits_.bytes / 2) {
    evict_half();
    count_bytes();
  }
  return {};
}

void TranscriptStore::evict_half() {
  std::vector<std::uint64_t> uses;
  for (const auto& [session, hot] : hot_) {
    uses.push_back(hot.used);
  }
  const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
  std::nth_element(uses.begin(), middle, uses.end());
  std::erase_if(
      hot_, [used = *middle](const HotMap::value_type& one) { return one.second.used <= used; });
}

void TranscriptStore::count_bytes() {
  hot_bytes_ = 0;
  for (auto& [session, hot] : hot_) {
    hot.bytes = hot.transcript.bytes();
    hot_bytes_ += hot.bytes;
  }
}

Result<void> TranscriptStore::save() {
  const MutexLock lock(mutex_);
  return directory_.empty() ? Result<void>{} : save_dirty();
}

Result<void> TranscriptStore::save_dirty() {
  std::vector<Hot*> dirty;
  for (auto& [session, hot] : hot_) {
    if (hot.dirty) {
      dirty.push_back(&hot);
    }
  }
  if (dirty.empty()) {
    return {};
  }
  VIBES_TRY(write_files(dirty));
  VIBES_TRY(file_system_.sync_directory(directory_));  // entries before the records that count them
  for (const Hot* hot : dirty) {
    const std::string& id = hot->transcript.record().id;
    VIBES_TRY(file_system_.rename(path_of(id, kFresh), path_of(id, kRecord)));
  }
  VIBES_TRY(file_system_.sync_directory(directory_));
  for (Hot* hot : dirty) {
    hot->dirty = false;
    hot->transcript.clear_lines();
  }
  return {};
}

/// Entries and fresh records, all of them on disk when it returns without an error.
Result<void> TranscriptStore::write_files(const std::vector<Hot*>& dirty) const {
  std::atomic<std::size_t> taken = 0;
  Mutex mutex;
  Result<void> outcome;
  const auto work = [&] {
    for (std::size_t i = taken++; i < dirty.size(); i = taken++) {
      if (auto written = write_session(dirty[i]->transcript); !written) {
        const MutexLock lock(mutex);
        outcome = std::move(written);
        taken = dirty.size();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t savers = std::min(kSaversMax, dirty.size() / kSessionsPerSaver);
    try {
      while (helpers.size() + 1 < savers) {
        helpers.emplace_back(work);
      }
    } catch (const std::system_error&) {  // then those there are have more to do
    }
    work();
  }
  return outcome;
}

Result<void> TranscriptStore::write_session(const Transcript& transcript) const {
  const SessionRecord& record = transcript.record();
  VIBES_TRY(write_entries(transcript));
  return io::write_fresh_file(file_system_, path_of(record.id, kFresh), dump_record(record));
}

Result<void> TranscriptStore::write_entries(const Transcript& transcript) const {
  const std::string& lines = transcript.lines();
  if (lines.empty()) {
    return {};
  }
  const std::uint64_t saved = transcript.record().entries_bytes - lines.size();
  const std::string path = path_of(transcript.record().id, kEntries);
  VIBES_TRY_ASSIGN(exists, file_system_.exists(path));
  VIBES_TRY_ASSIGN(
      file, file_system_.open(path, exists ? io::OpenMode::read_write : io::OpenMode::create_new));
  VIBES_TRY_ASSIGN(size, file->size());
  if (size < saved) {
    return fail(std::make_error_code(std::errc::bad_message), path + ": entries are missing");
  }
  if (size > saved) {
    VIBES_TRY(file->truncate(saved));  // of a save that did not come to its end
  }
  VIBES_TRY(file->write_at(saved, std::as_bytes(std::span(lines))));
  return file->sync_data();
}

AssessedPage TranscriptStore::page(std::optional<Offset> before, std::size_t limit) const {
  AssessedPage made{index_.page(before, limit + 1), std::nullopt, next_};
  if (made.sessions.size() > limit) {
    made.sessions.pop_back();
    made.before = made.sessions.empty() ? before : made.sessions.back().last;
  }
  return made;
}

Result<std::vector<AssessedSession>> TranscriptStore::read_headlines() const {
  std::vector<AssessedSession> found;
  VIBES_TRY_ASSIGN(names, file_system_.list(directory_));
  for (const std::string& name : names) {
    if (!name.ends_with(kRecord)) {
      continue;
    }
    const std::string path = directory_ + '/' + name;
    const auto file = file_system_.open(path, io::OpenMode::read_only);
    const auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
    const auto text = file && size ? read(path, 0, std::min(*size, kHeadlineBytesMax))
                                   : Result<std::string>(std::string());
    if (auto headline = text ? parse_headline(*text) : std::nullopt) {
      found.push_back(*std::move(headline));
    }
  }
  return found;
}

Result<AssessedPage> TranscriptStore::assessed(std::optional<Offset> before,
                                               std::size_t limit) const {
  for (;;) {
    std::uint64_t restarts = 0;
    {
      const MutexLock lock(mutex_);
      if (index_is_whole_ || directory_.empty()) {
        return page(before, limit);
      }
      restarts = restarts_;
    }
    // Without the lock: the collector need not wait. What it folds meanwhile is newer and stays.
    VIBES_TRY_ASSIGN(headlines, read_headlines());
    const MutexLock lock(mutex_);
    if (restarts != restarts_) {
      continue;  // these may be of files that are gone
    }
    for (AssessedSession& one : headlines) {
      if (!index_.contains(one.id)) {
        index_.put(std::move(one));
      }
    }
    index_is_whole_ = true;
    return page(before, limit);
  }
}

Result<std::string> TranscriptStore::read(const std::string& path, std::uint64_t from,
                                          std::uint64_t to) const {
  VIBES_TRY_ASSIGN(file, file_system_.open(path, io::OpenMode::read_only));
  std::string text(to - from, '\0');
  VIBES_TRY_ASSIGN(got, file->read_at(from, std::as_writable_bytes(std::span(text))));
  if (got != text.size()) {
    return fail(std::make_error_code(std::errc::bad_message), path + ": entries are missing");
  }
  return text;
}

Result<std::optional<TranscriptSnapshot>> TranscriptStore::find(std::string_view session,
                                                                std::size_t bytes_max) const {
  TranscriptSnapshot snapshot;
  std::string recent;
  {
    const MutexLock lock(mutex_);
    snapshot.next = next_;
    if (const auto found = hot_.find(std::string(session)); found != hot_.end()) {
      snapshot.record = found->second.transcript.record();
      recent = found->second.transcript.lines();
    } else {
      VIBES_TRY_ASSIGN(record, load(session));
      if (!record) {
        return std::optional<TranscriptSnapshot>();
      }
      snapshot.record = *std::move(record);
    }
  }
  // What is saved stays where it is, so nobody has to wait for our reading it.
  const std::uint64_t saved = snapshot.record.entries_bytes - recent.size();
  const std::uint64_t from = saved - std::min<std::uint64_t>(saved, bytes_max);
  if (saved > from) {
    VIBES_TRY_ASSIGN(text, read(path_of(session, kEntries), from, saved));
    snapshot.lines = std::move(text);
  }
  snapshot.lines += recent;
  std::uint64_t dropped = 0;
  if (from > 0 && saved > from) {  // probably inside of a line
    dropped = drop_oldest(snapshot.lines, snapshot.lines.size() - 1);
  }
  snapshot.omitted_bytes = from + dropped + drop_oldest(snapshot.lines, bytes_max);
  snapshot.lines += open_lines(snapshot.record);
  return std::optional(std::move(snapshot));
}

}  // namespace vibes::consumers
