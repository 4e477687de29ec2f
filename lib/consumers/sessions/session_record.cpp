// SPDX-License-Identifier: MIT
#include "consumers/sessions/session_record.hpp"

#include <type_traits>

#include <nlohmann/json.hpp>

#include "consumers/sessions/assessed_index.hpp"
#include "consumers/sessions/record_source.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr const char* kHeadline = "assessed";

json time_json(const std::optional<Timestamp>& time) {
  return time ? json(format_rfc3339(*time)) : json();
}

json cut_json(const CutText& text) { return {{"text", text.text}, {"left_out", text.left_out}}; }

json kept_json(const SessionRecord& record) {
  json kept = {{"first_us", record.first.unix_us},
               {"last_us", record.last.unix_us},
               {"created_us", record.created ? json(record.created->unix_us) : json()},
               {"ended_us", record.ended ? json(record.ended->unix_us) : json()},
               {"entries_bytes", record.entries_bytes},
               {"open_text", cut_json(record.open_text.text)},
               {"open_text_us", record.open_text.started.unix_us},
               {"open_text_offset", record.open_text.offset.value()},
               {"open_tools", json::array()},
               {"answered", json(record.answered)},
               {"prompt", record.prompt ? json(*record.prompt) : json()}};
  for (const OpenTool& tool : record.open_tools) {
    kept["open_tools"].push_back({{"id", tool.id},
                                  {"name", tool.name},
                                  {"input", cut_json(tool.input)},
                                  {"started_us", tool.started.unix_us},
                                  {"offset", tool.offset.value()}});
  }
  return kept;
}

void take_public(RecordSource& source, SessionRecord& record) {
  record.id = source.text("id");
  if (!source.is_null("name")) {
    record.name = source.text("name");
  }
  if (!source.is_null("state")) {
    record.state = source.text("state");
  }
  if (!source.is_null("cwd")) {
    record.cwd = source.text("cwd");
  }
  for (const auto& [type, count] : source.member("counts").items()) {
    record.counts[type] = count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
  }
  record.events = source.number("events");
  record.entries = source.number("entries");
  record.prompts = source.number("prompts");
  record.tools = source.number("tools");
  record.tools_failed = source.number("tools_failed");
  for (const auto& [name, count] : source.member("by_tool").items()) {
    RecordSource tool(count);
    record.by_tool[name] = {tool.number("calls"), tool.number("failed")};
    source.check(tool.ok());
  }
  record.errors = source.number("errors");
  record.turns = source.number("turns");
  record.input_tokens = source.number("input_tokens");
  record.output_tokens = source.number("output_tokens");
  source.each("links", [&](RecordSource& link) {
    record.links.push_back({link.text("session_id"), link.text("relation")});
  });
  record.next = Offset(source.number("next"));
}

void take_kept(RecordSource& source, SessionRecord& record) {
  record.first = source.time("first_us");
  record.last = source.time("last_us");
  if (!source.is_null("created_us")) {
    record.created = source.time("created_us");
  }
  if (!source.is_null("ended_us")) {
    record.ended = source.time("ended_us");
  }
  record.entries_bytes = source.number("entries_bytes");
  record.open_text = {source.cut_text("open_text"), source.time("open_text_us"),
                      Offset(source.number("open_text_offset"))};
  source.each("open_tools", [&](RecordSource& tool) {
    record.open_tools.push_back({tool.text("id"), tool.text("name"), tool.cut_text("input"),
                                 tool.time("started_us"), Offset(tool.number("offset"))});
  });
  for (const json& id : source.member("answered")) {
    record.answered.push_back(source.check(id.is_string()) ? id.get<std::string>() : "");
  }
  if (!source.is_null("prompt")) {
    record.prompt = source.text("prompt");
  }
}

}  // namespace

json public_json(const SessionRecord& record) {
  json by_tool = json::object();
  for (const auto& [name, count] : record.by_tool) {
    by_tool[name] = {{"calls", count.calls}, {"failed", count.failed}};
  }
  json links = json::array();
  for (const LinkedSession& link : record.links) {
    links.push_back({{"session_id", link.session}, {"relation", link.relation}});
  }
  return {{"id", record.id},
          {"name", record.name ? json(*record.name) : json()},
          {"state", record.state.empty() ? json() : json(record.state)},
          {"first_event", format_rfc3339(record.first)},
          {"last_event", format_rfc3339(record.last)},
          {"created", time_json(record.created)},
          {"ended", time_json(record.ended)},
          {"cwd", record.cwd.empty() ? json() : json(record.cwd)},
          {"counts", json(record.counts)},
          {"events", record.events},
          {"entries", record.entries},
          {"prompts", record.prompts},
          {"tools", record.tools},
          {"tools_failed", record.tools_failed},
          {"by_tool", std::move(by_tool)},
          {"errors", record.errors},
          {"turns", record.turns},
          {"input_tokens", record.input_tokens},
          {"output_tokens", record.output_tokens},
          {"links", std::move(links)},
          {"next", record.next.value()}};
}

std::string dump_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string dump_record(const SessionRecord& record) {
  json whole = public_json(record);
  whole["kept"] = kept_json(record);
  if (!record.assessment) {
    return dump_line(whole);
  }
  whole["assessment"] = kept_json(*record.assessment);
  return dump_line({{kHeadline, headline_json(headline_of(record))}}) + dump_line(whole);
}

std::optional<AssessedSession> parse_headline(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(std::string("{\"") + kHeadline)) {
    return std::nullopt;
  }
  const json parsed = json::parse(text.substr(0, end), nullptr, false);
  const auto found = parsed.is_object() ? parsed.find(kHeadline) : parsed.end();
  return parsed.is_object() && found != parsed.end() ? take_headline(*found) : std::nullopt;
}

Result<SessionRecord> parse_record(std::string_view text) {
  if (parse_headline(text)) {
    text.remove_prefix(text.find('\n') + 1);
  }
  const json parsed = json::parse(text, nullptr, false);
  RecordSource source(parsed);
  RecordSource kept(source.member("kept"));
  SessionRecord record;
  take_public(source, record);
  take_kept(kept, record);
  if (parsed.is_object() && parsed.contains("assessment")) {
    record.assessment = take_assessment(parsed["assessment"]);
    source.check(record.assessment.has_value());
  }
  if (!source.ok() || !kept.ok()) {
    return fail(std::make_error_code(std::errc::bad_message), "not a session record");
  }
  return record;
}

}  // namespace vibes::consumers
