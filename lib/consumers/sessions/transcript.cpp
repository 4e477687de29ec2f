// SPDX-License-Identifier: MIT
#include "consumers/sessions/transcript.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {
namespace {

using event::PayloadValue;
using nlohmann::json;

constexpr std::size_t kOpenToolsMax = 64;
constexpr std::size_t kAnsweredMax = 64;
constexpr std::size_t kLinksMax = 256;
constexpr std::size_t kCountsMax = 256;       // types and tools told apart
constexpr std::size_t kNameBytesMax = 1'024;  // of a tool, an id, a directory
constexpr std::size_t kRecordBytes = 2'048;   // about, without texts and lists
constexpr std::size_t kNodeBytes = 96;        // about, of an element of its lists
constexpr std::string_view kOther = "(other)";

std::string name_of(PayloadValue object, std::string_view key) {
  const std::string_view text = object.text(key);
  std::size_t end = std::min(text.size(), kNameBytesMax);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;  // not inside a character
  }
  return std::string(text.substr(0, end));
}

std::string compact(PayloadValue value) {
  return value.is_text() ? std::string(value.text())
                         : value.json().dump(-1, ' ', false, json::error_handler_t::replace);
}

/// What a person would call the output of a tool: its text where there is one, else all of it.
std::string output_text(PayloadValue response) {
  if (response.is_null()) {
    return {};
  }
  for (const std::string_view key : {"stdout", "content", "output", "error"}) {
    if (response.member(key).is_text()) {
      const std::string_view errors = response.text("stderr");
      std::string text(response.text(key));
      text += !text.empty() && !errors.empty() && text.back() != '\n' ? "\n" : "";
      return text.append(errors);
    }
  }
  const std::string_view file = response.member("file").text("content");
  return file.empty() ? compact(response) : std::string(file);
}

/// Text on stderr alone is no failure.
bool is_failure(PayloadValue response) {
  return response.member("interrupted").is_true() || response.member("is_error").is_true() ||
         response.member("exit_code").is_nonzero() || response.member("exitCode").is_nonzero();
}

json entry(const char* kind, Offset offset, Timestamp time) {
  return {{"kind", kind}, {"offset", offset.value()}, {"time", format_rfc3339(time)}};
}

json text_entry(const OpenText& open) {
  json made = entry("text", open.offset, open.started);
  made["text"] = open.text.shown();
  return made;
}

struct Answer {
  json output;                  // null: none
  std::optional<bool> success;  // nothing: it never answered
  std::optional<Timestamp> time;
};

json tool_entry(const OpenTool& tool, const Answer& answer) {
  constexpr std::int64_t kMicrosPerMilli = 1'000;
  json made = entry("tool", tool.offset, tool.started);
  made["id"] = tool.id.empty() ? json() : json(tool.id);
  made["name"] = tool.name;
  made["input"] = tool.input.shown();
  made["output"] = answer.output;
  made["success"] = answer.success ? json(*answer.success) : json();
  made["duration_ms"] =
      answer.time ? json((answer.time->unix_us - tool.started.unix_us) / kMicrosPerMilli) : json();
  return made;
}

}  // namespace

/// One event on its way into the record.
class Transcript::Step {
 public:
  Step(Transcript& transcript, const event::EventView& event, event::PayloadReader& reader)
      : record_(transcript.record_), lines_(transcript.lines_), event_(event), reader_(reader) {}

  void run() {
    begin();
    const bool wraps = event_.type == "claude" || event_.type == "hook";
    const PayloadValue inner = wraps ? payload().member("event") : PayloadValue();
    inner_type_ = inner.text("type");
    count();
    if (is_assessment_result(event_.type)) {
      take_result();
    }
    if (event_.type == "claude") {
      take_claude(inner);
    } else if (event_.type == "hook") {
      take_hook(inner);
    } else {
      take_other();
    }
    record_.next = event_.offset + 1;
  }

 private:
  void begin() {
    if (record_.events++ == 0) {
      record_.first = event_.time;
    }
    record_.last = event_.time;
  }

  void count() {
    std::string name(event_.type);
    if (!inner_type_.empty()) {
      name += '.';
      name += inner_type_.substr(0, limits::kTypeBytesMax);
    }
    if (record_.counts.size() >= kCountsMax && !record_.counts.contains(name)) {
      name = kOther;
    }
    ++record_.counts[name];
  }

  /// Many types say nothing but their name, and need no look inside.
  PayloadValue payload() { return reader_.read(event_.payload); }

  void take_result() {
    if (!record_.assessment) {
      record_.assessment.emplace();
    }
    fold_assessment(*record_.assessment, event_, payload());
  }

  void take_claude(PayloadValue said) {
    if (inner_type_ == "text_delta") {
      add_text(said.text("text"));
    } else if (inner_type_ == "tool_use_start") {
      (void)open_tool(name_of(said, "id"), name_of(said, "name"));
    } else if (inner_type_ == "tool_input_delta") {
      if (OpenTool* const tool = find_tool(name_of(said, "id"))) {
        tool->input.append(said.text("delta"));
      }
    } else if (inner_type_ == "tool_result") {
      answer_tool(name_of(said, "id"), {}, {},
                  {cut(output_text(said.member("output"))).shown(),
                   !said.member("is_error").is_true(), event_.time});
    } else if (inner_type_ == "turn_start") {
      close_text();
    } else if (inner_type_ == "turn_complete") {
      complete_turn(said.member("usage"));
    } else if (inner_type_ == "error") {
      ++record_.errors;
      add_message("error", said.text("message"));
    } else if (inner_type_ == "permission_request") {
      add_message("permission_request",
                  fmt::format("{}: {}", said.text("tool"), said.text("description")));
    }
  }

  void take_hook(PayloadValue hook) {
    if (record_.cwd.empty()) {
      record_.cwd = name_of(hook, "cwd");  // where it began; later ones follow the agent around
    }
    if (inner_type_ == "user_prompt_submit") {
      add_prompt(hook.text("prompt"));
    } else if (inner_type_ == "pre_tool_use") {
      OpenTool& tool = open_tool(name_of(hook, "tool_use_id"), name_of(hook, "tool_name"));
      tool.input = cut(compact(hook.member("tool_input")));  // the whole of what came in pieces
    } else if (inner_type_ == "post_tool_use" || inner_type_ == "post_tool_use_failure") {
      const PayloadValue response =
          hook.member(inner_type_ == "post_tool_use" ? "tool_response" : "error");
      const bool success = inner_type_ == "post_tool_use" && !is_failure(response);
      answer_tool(name_of(hook, "tool_use_id"), name_of(hook, "tool_name"),
                  hook.member("tool_input"),
                  {cut(output_text(response)).shown(), success, event_.time});
    } else if (inner_type_ == "notification") {
      add_message("notification", hook.text("message"));
    } else if (inner_type_ == "pre_compact") {
      add_message("note", "The context was compacted.");
    } else if (inner_type_ == "session_start") {
      go_on();
    } else if (inner_type_ == "session_end") {
      end();
      end_state({""}, "Ended");  // a terminal it ran in goes on
    }
  }

  void take_other() {
    if (event_.type == "user_input") {
      add_prompt(payload().text("content"));
    } else if (event_.type == "session_created") {
      record_.created = event_.time;
      go_on();
      take_name(payload());
    } else if (event_.type == "session_state_changed") {
      record_.state = name_of(payload(), "state");
    } else if (event_.type == "session_removed") {
      end();
      end_state({"", "Running"}, "Ended(" + name_of(payload(), "reason") + ")");
    } else if (event_.type == "permission_response") {
      add_message("permission_response",
                  payload().member("approved").is_true() ? "approved" : "denied");
    } else if (event_.type == "intervention") {
      add_message("intervention", payload().text("message"));
    } else if (event_.type == "intervention_delivered") {
      add_message("intervention_delivered", "The agent was given it with a hook's answer.");
    } else if (event_.type == "session_linked") {
      take_link(payload());
    }
  }

  void take_name(PayloadValue event) {
    if (event.member("name").is_text()) {
      record_.name = name_of(event, "name");
    }
  }

  /// Both sessions of a link are told of it.
  void take_link(PayloadValue event) {
    const std::string upper(event.text("session_id"));
    const std::string lower(event.text("linked_session_id"));
    const std::string relation(event.text("relation"));
    if (record_.links.size() >= kLinksMax) {
      return;
    }
    if (record_.id == lower) {
      record_.links.push_back({upper, relation == "subagent" ? "parent" : relation});
    } else {
      record_.links.push_back({lower, relation});
    }
  }

  void add_text(std::string_view text) {
    record_.prompt.reset();
    if (record_.open_text.text.empty()) {
      record_.open_text.started = event_.time;
      record_.open_text.offset = event_.offset;
    }
    record_.open_text.text.append(text);
  }

  void close_text() {
    if (!record_.open_text.text.empty()) {
      emit(text_entry(std::exchange(record_.open_text, {})));
    }
  }

  void complete_turn(PayloadValue usage) {
    close_text();
    ++record_.turns;
    record_.input_tokens += usage.member("input_tokens").count().value_or(0);
    record_.output_tokens += usage.member("output_tokens").count().value_or(0);
  }

  /// An agent's prompt may be told by its terminal and by its hook: the same twice in a row is one.
  void add_prompt(std::string_view text) {
    std::string shown = cut(text).shown();
    if (record_.prompt == shown) {
      return;
    }
    close_all();
    json made = entry("prompt", event_.offset, event_.time);
    made["text"] = shown;
    emit(made);
    ++record_.prompts;
    record_.prompt = std::move(shown);
  }

  void add_message(const char* kind, std::string_view message) {
    close_text();
    json made = entry(kind, event_.offset, event_.time);
    made["text"] = cut(message).shown();
    emit(made);
  }

  OpenTool* find_tool(const std::string& id) {
    const auto found = std::find_if(record_.open_tools.begin(), record_.open_tools.end(),
                                    [&](const OpenTool& tool) { return tool.id == id; });
    return found == record_.open_tools.end() ? nullptr : &*found;
  }

  OpenTool& open_tool(const std::string& id, const std::string& name) {
    record_.prompt.reset();
    OpenTool* const known = id.empty() ? nullptr : find_tool(id);
    if (known != nullptr) {
      return *known;
    }
    close_text();
    if (record_.open_tools.size() >= kOpenToolsMax) {
      close_tool(record_.open_tools.begin(), {});
    }
    record_.open_tools.push_back({id, name, {}, event_.time, event_.offset});
    return record_.open_tools.back();
  }

  void close_tool(std::vector<OpenTool>::iterator tool, const Answer& answer) {
    emit(tool_entry(*tool, answer));
    const std::uint64_t failed = answer.success == false ? 1 : 0;
    ++record_.tools;
    record_.tools_failed += failed;
    const bool full = record_.by_tool.size() >= kCountsMax && !record_.by_tool.contains(tool->name);
    ToolCount& count = record_.by_tool[full ? std::string(kOther) : tool->name];
    ++count.calls;
    count.failed += failed;
    record_.open_tools.erase(tool);
  }

  /// By its id; without one, the newest of that name.
  std::vector<OpenTool>::iterator called(const std::string& id, const std::string& name) {
    const auto found = std::find_if(
        record_.open_tools.rbegin(), record_.open_tools.rend(),
        [&](const OpenTool& tool) { return tool.id == id && (!id.empty() || tool.name == name); });
    return found == record_.open_tools.rend() ? record_.open_tools.end() : std::prev(found.base());
  }

  /// The terminal and the hook both tell the answer: the first counts.
  void answer_tool(const std::string& id, const std::string& name, PayloadValue input,
                   const Answer& answer) {
    if (!id.empty() &&
        std::find(record_.answered.begin(), record_.answered.end(), id) != record_.answered.end()) {
      return;
    }
    auto tool = called(id, name);
    if (tool == record_.open_tools.end()) {
      (void)open_tool(id, name);  // its start is not in the log
      tool = std::prev(record_.open_tools.end());
    }
    if (tool->input.empty() && !input.is_null()) {
      tool->input = cut(compact(input));
    }
    close_tool(tool, answer);
    if (!id.empty()) {
      record_.answered.push_back(id);
      if (record_.answered.size() > kAnsweredMax) {
        record_.answered.pop_front();
      }
    }
  }

  void close_all() {
    close_text();
    while (!record_.open_tools.empty()) {
      close_tool(record_.open_tools.begin(), {});
    }
  }

  void end() {
    close_all();
    record_.ended = event_.time;
  }

  /// For who was told of no other end.
  void end_state(std::initializer_list<std::string_view> open, std::string state) {
    if (std::find(open.begin(), open.end(), record_.state) != open.end()) {
      record_.state = std::move(state);
    }
  }

  void go_on() {
    record_.ended.reset();
    if (record_.state.starts_with("Ended")) {
      record_.state.clear();
    }
  }

  void emit(const json& made) {
    const std::size_t before = lines_.size();
    lines_ += dump_line(made);
    record_.entries_bytes += lines_.size() - before;
    ++record_.entries;
  }

  SessionRecord& record_;
  std::string& lines_;
  const event::EventView& event_;
  event::PayloadReader& reader_;
  std::string_view inner_type_;  // of a hook or an agent
};

void Transcript::fold(const event::EventView& event, event::PayloadReader& reader) {
  if (event.offset >= record_.next) {
    Step(*this, event, reader).run();
  }
}

std::size_t Transcript::bytes() const {
  std::size_t total = kRecordBytes + lines_.capacity() + record_.open_text.text.text.capacity();
  total += kNodeBytes * (record_.counts.size() + record_.by_tool.size() + record_.answered.size() +
                         record_.links.size());
  for (const OpenTool& tool : record_.open_tools) {
    total += tool.input.text.capacity() + tool.name.capacity() + tool.id.capacity();
  }
  total += record_.assessment ? bytes_of(*record_.assessment) : 0;
  return total + (record_.prompt ? record_.prompt->capacity() : 0);
}

std::string open_lines(const SessionRecord& record) {
  std::string lines;
  if (!record.open_text.text.empty()) {
    lines += dump_line(text_entry(record.open_text));
  }
  for (const OpenTool& tool : record.open_tools) {
    lines += dump_line(tool_entry(tool, {}));
  }
  return lines;
}

}  // namespace vibes::consumers
