// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"

namespace vibes::verify {

/// The first 128 bits of a payload's SHA-256: enough to tell any two payloads apart.
using Digest = std::array<std::uint8_t, 16>;
Digest digest_of(std::string_view payload);

/// What the participants of a run saw, one record per observation. Every record has `at`:
/// nanoseconds of a clock that never steps, made strictly increasing by the Recorder, so that it
/// also says which record came first. Producers, clients and connections are numbered by whoever
/// records.

/// A producer sends an event. Sent again with the same event_id it is one event attempted twice.
struct Append {
  std::uint32_t producer = 0;
  std::uint32_t connection = 0;  // order is promised within one connection of one producer
  std::uint64_t n = 0;           // 0, 1, 2 … per producer
  std::uint64_t batch =
      0;  // events of one producer with the same batch are one atomic append; 0: alone
  Uuid event_id;
  Digest digest{};
  std::string type;
  std::string session;
  std::int64_t at = 0;
};

enum class Outcome : std::uint8_t {
  ok,    // acknowledged
  fail,  // refused: it is certainly not in the log
  info,  // timeout, disconnect, 5xx: it may or may not be in the log
};

/// What a producer heard about its event n.
struct Answer {
  std::uint32_t producer = 0;
  std::uint64_t n = 0;
  Outcome outcome = Outcome::ok;
  /// Where outcome is ok and the ack says it: one that sums over events of a busy log may not.
  std::optional<Offset> offset;
  std::string code;  // where outcome is not ok
  std::int64_t at = 0;
  /// Acknowledged without a place: it must come into the log, where and when is open.
  bool pending = false;
};

/// A firehose client connects. `types` are exact event types, never categories: the checker must
/// not share its idea of a category with the server. Empty: all of them. The same for `session`.
struct Connect {
  std::uint32_t client = 0;
  std::uint32_t connection = 0;
  std::optional<Offset> from;  // nothing: live, starting wherever the log is
  std::vector<std::string> types;
  std::string session;
  std::int64_t at = 0;
};

struct Delivery {
  std::uint32_t client = 0;
  std::uint32_t connection = 0;
  Offset offset;
  Uuid event_id;
  Digest digest{};
  std::int64_t at = 0;
};

/// The server said: everything below `next` has been sent to you, or did not match.
struct Progress {
  std::uint32_t client = 0;
  std::uint32_t connection = 0;
  Offset next;
  std::int64_t at = 0;
};

/// The server said that [from, to) cannot be served.
struct GapNotice {
  std::uint32_t client = 0;
  std::uint32_t connection = 0;
  Offset from;
  Offset to;
  std::int64_t at = 0;
};

struct Disconnect {
  std::uint32_t client = 0;
  std::uint32_t connection = 0;
  std::string reason;
  std::int64_t at = 0;
};

/// The client was alive when the run ended and had been given its time to catch up.
struct Finish {
  std::uint32_t client = 0;
  std::int64_t at = 0;
};

/// A member joined a consumer group and was told to continue at `from`.
struct Join {
  std::string group;
  Offset from;
  std::int64_t at = 0;
};

struct Process {
  std::string group;
  Offset offset;
  Uuid event_id;
  std::int64_t at = 0;
};

enum class CommitPhase : std::uint8_t { invoke, ok };

/// Everything before `next` is done.
struct Commit {
  std::string group;
  Offset next;
  CommitPhase phase = CommitPhase::invoke;
  std::int64_t at = 0;
};

enum class FaultPhase : std::uint8_t {
  start,
  down,  // the server is gone: nothing more is acknowledged before it comes back
  stop,
};

struct Fault {
  std::string name;  // "kill -9", "SIGTERM" …
  FaultPhase phase = FaultPhase::start;
  std::int64_t at = 0;
};

/// The server came back: what its recovery did and how far the log reached.
struct Recovery {
  Offset end;
  std::uint64_t bytes_cut = 0;
  std::uint64_t bytes_quarantined = 0;
  std::uint64_t took_ms = 0;
  std::int64_t at = 0;
};

/// The log at the end of the run, read in three ways that must agree.
enum class Image : std::uint8_t {
  replay,         // a fresh client from the beginning
  offline,        // the directory, with no server running
  after_restart,  // the same as replay after one more clean restart
};

struct Logged {
  Image image = Image::replay;
  Offset offset;
  Uuid event_id;
  Digest digest{};
  std::string type;
  std::string session;
};

/// A whole run. Vectors are in the order of recording.
struct History {
  std::uint64_t seed = 0;
  /// What lies before is not of this run: it was there already, or retention has removed it.
  Offset kept_from;
  /// Others append to the log too; `log` holds our events only. Holes between them are theirs.
  bool is_shared = false;
  /// Types the server appends by itself: found in the log without an attempt they are no phantoms.
  std::vector<std::string> server_types;

  std::vector<Append> appends;
  std::vector<Answer> answers;
  std::vector<Connect> connects;
  std::vector<Delivery> deliveries;
  std::vector<Progress> progress;
  std::vector<GapNotice> gaps;
  std::vector<Disconnect> disconnects;
  std::vector<Finish> finishes;
  std::vector<Join> joins;
  std::vector<Process> processed;
  std::vector<Commit> commits;
  std::vector<Fault> faults;
  std::vector<Recovery> recoveries;
  std::vector<Logged> log;
};

/// One JSON object per line, in the order of `at`, the log images last. Ends with a newline.
std::string to_jsonl(const History& history);
/// Reads it back. Errors: Errc::bad_history, naming the line.
Result<History> parse_jsonl(std::string_view text);

}  // namespace vibes::verify
