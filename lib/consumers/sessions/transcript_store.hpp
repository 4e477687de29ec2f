// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "consumers/sessions/assessed_index.hpp"
#include "consumers/sessions/assessment_export.hpp"
#include "consumers/sessions/transcript.hpp"
#include "event/event.hpp"
#include "event/payload_fwd.hpp"
#include "io/file_system.hpp"

namespace vibes::consumers {

/// One session as it was at a moment.
struct TranscriptSnapshot {
  SessionRecord record;
  std::string lines;                // of entries, those that are not complete last
  std::uint64_t omitted_bytes = 0;  // of the oldest entries, where all are too many
  Offset next;                      // everything in the log before it is in here
};

/// The record and the entries of every session. Thread-safe; fold(), save() and restart() belong to
/// one thread.
///
/// On disk a session is two files named after a UUID of its id: NAME.jsonl, the complete entries,
/// which only grows, and NAME.json, its record, which says how much of the other counts and up to
/// which offset both hold. A record takes the old one's place only after its entries are on disk,
/// so after a crash each session is as of some save, and events it has already do nothing. In
/// memory are the sessions of late, within `Limits`; what is put away from there costs syncs, and
/// to need it again costs reading it, so the limit is meant to hold all sessions that are alive. A
/// save of many sessions syncs them on several threads, for a disk syncs many files in the time of
/// a few. Without a directory everything is in memory.
class TranscriptStore {
 public:
  /// About 6 KiB of memory are a session's that says nothing new, and what was folded since the
  /// last save is in memory too.
  struct Limits {
    std::size_t sessions = limits::kTranscriptsHot;
    std::size_t bytes = limits::kTranscriptHotBytes;
  };

  /// `directory` is an absolute path, made by restart() if missing, or empty.
  TranscriptStore(std::string directory, io::FileSystem& file_system, Limits limits);
  TranscriptStore(std::string directory, io::FileSystem& file_system)
      : TranscriptStore(std::move(directory), file_system, Limits{}) {}
  ~TranscriptStore();

  /// Events will come from `start` on. What is not saved is forgotten. If that is the whole log
  /// (`start` and `first` are 0), everything is, and made anew; where the log has lost its
  /// beginning nobody could, so it is kept. Errors: the I/O error.
  Result<void> restart(Offset start, Offset first);
  /// Errors: the I/O error, or std::errc::bad_message where the session's files are damaged, which
  /// no other try mends; the event may be given again.
  Result<void> fold(const event::EventView& event);
  /// Durable when it returns. After an error restart() is called for.
  Result<void> save();

  /// The assessed sessions with the newest results, those whose last result is before `before`; of
  /// no more than limits::kAssessedSessionsListed sessions. The first call reads the beginning of
  /// every record, later ones nothing. A record that cannot be read is left out. Errors: the I/O
  /// error.
  Result<AssessedPage> assessed(std::optional<Offset> before, std::size_t limit) const;

  /// The newest entries, about `bytes_max` bytes. Nothing for a session without events.
  Result<std::optional<TranscriptSnapshot>> find(
      std::string_view session, std::size_t bytes_max = limits::kTranscriptAnswerBytesMax) const;

 private:
  struct Hot {
    Transcript transcript;
    std::uint64_t used = 0;  // the larger the later
    std::size_t bytes = 0;
    bool dirty = false;
  };
  using HotMap = std::unordered_map<std::string, Hot>;

  [[nodiscard]] std::string path_of(std::string_view session, std::string_view suffix) const;
  Result<std::optional<SessionRecord>> load(std::string_view session) const VIBES_REQUIRES(mutex_);
  [[nodiscard]] Result<void> check_entries(const std::string& path, std::uint64_t bytes) const;
  Result<void> fold_into(const std::string& session, const event::EventView& event)
      VIBES_REQUIRES(mutex_);
  Result<void> make_room() VIBES_REQUIRES(mutex_);
  void evict_half() VIBES_REQUIRES(mutex_);
  void count_bytes() VIBES_REQUIRES(mutex_);
  Result<void> save_dirty() VIBES_REQUIRES(mutex_);
  Result<void> write_files(const std::vector<Hot*>& dirty) const;
  [[nodiscard]] Result<void> write_session(const Transcript& transcript) const;
  [[nodiscard]] Result<void> write_entries(const Transcript& transcript) const;
  [[nodiscard]] Result<std::vector<AssessedSession>> read_headlines() const;
  [[nodiscard]] AssessedPage page(std::optional<Offset> before, std::size_t limit) const
      VIBES_REQUIRES(mutex_);
  [[nodiscard]] Result<std::string> read(const std::string& path, std::uint64_t from,
                                         std::uint64_t to) const;

  const std::string directory_;
  io::FileSystem& file_system_;
  const Limits limits_;
  mutable Mutex mutex_;
  HotMap hot_ VIBES_GUARDED_BY(mutex_);
  std::size_t hot_bytes_ VIBES_GUARDED_BY(mutex_) = 0;
  std::uint64_t uses_ VIBES_GUARDED_BY(mutex_) = 0;
  const std::unique_ptr<event::PayloadReader> payloads_ VIBES_GUARDED_BY(mutex_);
  Offset next_ VIBES_GUARDED_BY(mutex_);
  // The sessions folded since restart(); once somebody has asked, those on disk too.
  mutable AssessedIndex index_ VIBES_GUARDED_BY(mutex_);
  mutable bool index_is_whole_ VIBES_GUARDED_BY(mutex_) = false;
  std::uint64_t restarts_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::consumers
