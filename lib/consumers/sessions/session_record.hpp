// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "consumers/sessions/cut_text.hpp"
#include "consumers/sessions/session_assessment.hpp"

namespace vibes::consumers {

/// A tool that was called and has not answered yet.
struct OpenTool {
  std::string id;  // empty: the agent gave none
  std::string name;
  CutText input;
  Timestamp started;
  Offset offset;  // of the event that started it
};

/// What the assistant has said so far, and goes on to say.
struct OpenText {
  CutText text;
  Timestamp started;
  Offset offset;
};

/// Another session that the log linked with this one.
struct LinkedSession {
  std::string session;
  std::string relation;
};

/// The complete calls of one tool.
struct ToolCount {
  std::uint64_t calls = 0;
  std::uint64_t failed = 0;
};

struct AssessedSession;

/// One session as its events tell it, without the entries that are complete. Plain data.
struct SessionRecord {
  std::string id;
  std::optional<std::string> name;
  std::string state;  // empty: no event told
  Timestamp first;    // of its events
  Timestamp last;
  std::optional<Timestamp> created;
  std::optional<Timestamp> ended;
  std::string cwd;
  std::map<std::string, std::uint64_t> counts;  // by event type, of hooks and agents "hook.stop"
  std::uint64_t events = 0;
  std::uint64_t entries = 0;  // complete ones
  std::uint64_t prompts = 0;
  std::uint64_t tools = 0;  // complete calls
  std::uint64_t tools_failed = 0;
  std::map<std::string, ToolCount> by_tool;
  std::uint64_t errors = 0;
  std::uint64_t turns = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::vector<LinkedSession> links;
  std::optional<SessionAssessment> assessment;  // nothing: no result of one is in the log

  Offset next;                      // behind the last event that is in here
  std::uint64_t entries_bytes = 0;  // of the complete entries, as lines
  OpenText open_text;
  std::vector<OpenTool> open_tools;   // oldest first
  std::deque<std::string> answered;   // ids of the newest answered tools, which are told twice
  std::optional<std::string> prompt;  // the last, while nothing came after it
};

/// What people and clients are told: everything but what is kept for going on, and the assessment,
/// which has routes of its own.
nlohmann::json public_json(const SessionRecord& record);
/// Everything, as kept on disk: a line, and for an assessed session one before it with its
/// headline, so that a list of many needs to read little of each. The same record gives the same
/// bytes.
std::string dump_record(const SessionRecord& record);
/// The headline of a record that begins with `text`; nothing for a session that is not assessed.
std::optional<AssessedSession> parse_headline(std::string_view text);
/// Errors: std::errc::bad_message for anything that dump_record() did not write. A record from
/// before there were assessments in it has none: results that it had taken already are not told.
Result<SessionRecord> parse_record(std::string_view text);
/// One line; invalid UTF-8 is replaced.
std::string dump_line(const nlohmann::json& value);

}  // namespace vibes::consumers
