// SPDX-License-Identifier: MIT
#include "consumers/sessions/transcript_export.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr std::size_t kShownBytesMax = 2'000;  // of an input or output
constexpr std::size_t kSummaryBytesMax = 80;
constexpr std::size_t kCheckpointsShown = 20;

/// Calls `take` with each line, without its end.
template <class Take>
void each_line(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string string_in(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

/// At most `bytes_max` bytes of whole characters.
std::string_view front(std::string_view text, std::size_t bytes_max) {
  std::size_t end = std::min(text.size(), bytes_max);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

/// A number with a comma before every three digits.
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) {
    digits.insert(i - 3, 1, ',');
  }
  return digits;
}

std::string counted(std::uint64_t number, std::string_view one) {
  return fmt::format("{} {}{}", grouped(number), one, number == 1 ? "" : "s");
}

std::string html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else {
      safe += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return safe;
}

/// A code block whose fence is longer than any inside.
void add_block(std::string& out, std::string_view text) {
  std::size_t run = 0;
  std::size_t longest = 2;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  const std::string_view shown = front(text, kShownBytesMax);
  out += fence + '\n' + std::string(shown);
  out += shown.ends_with('\n') ? "" : "\n";
  if (shown.size() < text.size()) {
    out += fmt::format("[{} bytes more]\n", text.size() - shown.size());
  }
  out += fence + '\n';
}

void add_quote(std::string& out, std::string_view text) {
  each_line(text, [&](std::string_view line) {
    out += line.empty() ? ">\n" : "> " + std::string(line) + '\n';
  });
  out += '\n';
}

/// What a call was about, on one line.
std::string summary_of(const std::string& input) {
  const json parsed = json::parse(input, nullptr, false);
  std::string text = input == "{}" ? "" : input;
  for (const char* const key :
       {"command", "file_path", "path", "pattern", "query", "url", "description", "prompt"}) {
    if (std::string found = string_in(parsed, key); !found.empty()) {
      text = std::move(found);
      break;
    }
  }
  const std::string_view shown = front(text, kSummaryBytesMax);
  return html(shown) + (shown.size() < text.size() ? "…" : "");
}

std::string duration_of(const json& entry) {
  constexpr std::int64_t kMillisPerSecond = 1'000;
  const json& duration = entry.value("duration_ms", json());
  if (!duration.is_number_integer()) {
    return {};
  }
  const auto ms = duration.get<std::int64_t>();
  return ms < kMillisPerSecond ? fmt::format(", {} ms", ms)
                               : fmt::format(", {:.1f} s", static_cast<double>(ms) / 1e3);
}

void add_tool(std::string& out, const json& entry) {
  const json& success = entry.value("success", json());
  const char* const verdict = !success.is_boolean() ? "no answer"
                              : success.get<bool>() ? "ok"
                                                    : "<b>failed</b>";
  const std::string input = string_in(entry, "input");
  const std::string output = string_in(entry, "output");
  const std::string summary = summary_of(input);
  out += fmt::format("<details><summary>{}{} — {}{}</summary>\n\n", html(string_in(entry, "name")),
                     summary.empty() ? "" : " <code>" + summary + "</code>", verdict,
                     duration_of(entry));
  if (!input.empty()) {
    add_block(out, input);
  }
  if (!output.empty()) {
    out += '\n';
    add_block(out, output);
  }
  out += "\n</details>\n\n";
}

/// "2026-01-31T23:59:59.000001Z" → "2026-01-31 23:59:59".
std::string moment(std::string time) {
  constexpr std::size_t kSeconds = 19;
  time.resize(std::min(time.size(), kSeconds));
  std::replace(time.begin(), time.end(), 'T', ' ');
  return time;
}

void add_entry(std::string& out, const json& entry) {
  const std::string kind = string_in(entry, "kind");
  const std::string text = string_in(entry, "text");
  if (kind == "prompt") {
    out += fmt::format("## Prompt, {}\n\n", moment(string_in(entry, "time")));
    add_quote(out, text);
  } else if (kind == "text") {
    out += text + (text.ends_with('\n') ? "\n" : "\n\n");
  } else if (kind == "tool") {
    add_tool(out, entry);
  } else {
    std::string name = kind;
    std::replace(name.begin(), name.end(), '_', ' ');
    out += fmt::format("*{}: {}*\n\n", name, html(text));
  }
}

std::string heading(const SessionRecord& record) {
  const std::string title = record.name && !record.name->empty() ? *record.name : record.id;
  std::string out = fmt::format("# {}\n\n- Session: `{}`\n", html(title), html(record.id));
  out += fmt::format("- When: {} to {} UTC\n",
                     moment(format_rfc3339(record.created.value_or(record.first))),
                     moment(format_rfc3339(record.ended.value_or(record.last))));
  if (!record.state.empty()) {
    out += fmt::format("- State: {}\n", html(record.state));
  }
  if (!record.cwd.empty()) {
    out += fmt::format("- Directory: `{}`\n", html(record.cwd));
  }
  out += fmt::format("- {}, {} ({} failed), {}, {}\n", counted(record.prompts, "prompt"),
                     counted(record.tools, "tool call"), grouped(record.tools_failed),
                     counted(record.errors, "error"), counted(record.events, "event"));
  for (const LinkedSession& link : record.links) {
    out += fmt::format("- Linked ({}): `{}`\n", html(link.relation), html(link.session));
  }
  return out + '\n';
}

void add_checkpoints(std::string& out, const SessionAssessment& assessment) {
  const std::size_t count = assessment.checkpoints.size();
  const std::size_t shown = std::min(count, kCheckpointsShown);
  if (assessment.checkpoints_told > shown) {
    out += fmt::format("- {} before these\n",
                       counted(assessment.checkpoints_told - shown, "checkpoint"));
  }
  for (std::size_t i = count - shown; i < count; ++i) {
    const KeptCheckpoint& one = assessment.checkpoints[i];
    out += fmt::format("- Messages {} to {} ({}, score {:.2f}): {}\n", one.first, one.last,
                       html(one.trigger), one.segment_score, html(one.summary));
  }
  out += count > 0 ? "\n" : "";
}

void add_verdict(std::string& out, const KeptVerdict& verdict) {
  const std::string judged = verdict.outcome + ", " + verdict.trajectory;
  std::string_view why = verdict.summary;
  if (why.starts_with(judged + ": ")) {
    why.remove_prefix(judged.size() + 2);
  }
  out += fmt::format("**{}**: {}\n\n", html(judged), html(why));
}

/// How the session went, where that was assessed.
void add_assessment(std::string& out, const SessionAssessment& assessment) {
  out += fmt::format("## Assessment\n\n{}. Frustration {:.2f} at the end, {:.2f} at its worst",
                     counted(assessment.messages, "message"), assessment.latest.frustration,
                     assessment.peak.frustration);
  out += assessment.peak.message > 0 ? fmt::format(" (message {}).", assessment.peak.message) : ".";
  if (assessment.openings + assessment.interventions_told > 0) {
    out += fmt::format(" The breaker opened {}; {}.", counted(assessment.openings, "time"),
                       counted(assessment.interventions_told, "intervention"));
  }
  out += "\n\n";
  if (assessment.verdict) {
    add_verdict(out, *assessment.verdict);
  }
  add_checkpoints(out, assessment);
}

std::string markdown(const TranscriptSnapshot& snapshot) {
  std::string out = heading(snapshot.record);
  if (snapshot.record.assessment) {
    add_assessment(out, *snapshot.record.assessment);
  }
  if (snapshot.omitted_bytes > 0) {
    out += "*The oldest entries are left out.*\n\n";
  }
  each_line(snapshot.lines,
            [&](std::string_view line) { add_entry(out, json::parse(line, nullptr, false)); });
  out +=
      fmt::format("---\n\nTokens: {} in, {} out, in {}.\n", grouped(snapshot.record.input_tokens),
                  grouped(snapshot.record.output_tokens), counted(snapshot.record.turns, "turn"));
  return out;
}

std::string session_json(const SessionRecord& record) {
  std::string session = dump_line(public_json(record));
  session.pop_back();
  return R"({"session":)" + session;
}

std::string whole_json(const TranscriptSnapshot& snapshot) {
  std::string out = session_json(snapshot.record) + R"(,"entries":[)";
  bool first = true;
  each_line(snapshot.lines, [&](std::string_view line) {
    out += std::exchange(first, false) ? "" : ",";
    out += line;
  });
  out += fmt::format(R"(],"omitted_bytes":{},"next":{}}})", snapshot.omitted_bytes,
                     snapshot.next.value());
  return out;
}

}  // namespace

std::optional<TranscriptFormat> parse_transcript_format(std::string_view name) {
  if (name == "record") {
    return TranscriptFormat::record;
  }
  if (name == "json") {
    return TranscriptFormat::json;
  }
  if (name == "jsonl") {
    return TranscriptFormat::jsonl;
  }
  return name == "markdown" ? std::optional(TranscriptFormat::markdown) : std::nullopt;
}

std::string export_transcript(const TranscriptSnapshot& snapshot, TranscriptFormat format) {
  switch (format) {
    case TranscriptFormat::record:
      return session_json(snapshot.record) + fmt::format(R"(,"next":{}}})", snapshot.next.value());
    case TranscriptFormat::json:
      return whole_json(snapshot);
    case TranscriptFormat::jsonl:
      return snapshot.lines;
    case TranscriptFormat::markdown:
      return markdown(snapshot);
  }
  return {};
}

}  // namespace vibes::consumers
