// SPDX-License-Identifier: MIT
#include "consumers/sessions/transcript.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr std::size_t kOpenToolsMax = 64;
constexpr std::size_t kAnsweredMax = 64;
constexpr std::size_t kLinksMax = 256;
constexpr std::size_t kCountsMax = 256;       // types and tools told apart
constexpr std::size_t kNameBytesMax = 1'024;  // of a tool, an id, a directory
constexpr std::size_t kRecordBytes = 2'048;   // about, without texts and lists
constexpr std::size_t kNodeBytes = 96;        // about, of an element of its lists
constexpr std::string_view kOther = "(other)";

const json& member(const json& object, const char* key) {
  static const json kNone;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : kNone;
}

/// The member if it is a string, else nothing.
std::string text_of(const json& object, const char* key) {
  const json& found = member(object, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

std::string name_of(const json& object, const char* key) {
  std::string text = text_of(object, key);
  std::size_t end = std::min(text.size(), kNameBytesMax);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;  // not inside a character
  }
  text.resize(end);
  return text;
}

bool is_true(const json& value) { return value.is_boolean() && value.get<bool>(); }

std::uint64_t number_of(const json& object, const char* key) {
  const json& found = member(object, key);
  return found.is_number_unsigned() ? found.get<std::uint64_t>() : 0;
}

std::string compact(const json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// What a person would call the output of a tool: its text where there is one, else all of it.
std::string output_text(const json& response) {
  if (response.is_null()) {
    return {};
  }
  for (const char* const key : {"stdout", "content", "output", "error"}) {
    if (member(response, key).is_string()) {
      const std::string errors = text_of(response, "stderr");
      std::string text = text_of(response, key);
      text += !text.empty() && !errors.empty() && text.back() != '\n' ? "\n" : "";
      return text + errors;
    }
  }
  const std::string file = text_of(member(response, "file"), "content");
  return file.empty() ? compact(response) : file;
}

/// Text on stderr alone is no failure.
bool is_failure(const json& response) {
  if (is_true(member(response, "interrupted")) || is_true(member(response, "is_error"))) {
    return true;
  }
  for (const char* const key : {"exit_code", "exitCode"}) {
    const json& code = member(response, key);
    if (code.is_number_integer() && code != 0) {
      return true;
    }
  }
  return false;
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
  Step(Transcript& transcript, const event::EventView& event)
      : record_(transcript.record_), lines_(transcript.lines_), event_(event) {}

  void run() {
    begin();
    const json parsed = json::parse(event_.payload, nullptr, false);
    inner_type_ = text_of(member(parsed, "event"), "type");
    count();
    if (is_assessment_result(event_.type)) {
      take_result(parsed);
    }
    if (event_.type == "claude") {
      take_claude(member(parsed, "event"));
    } else if (event_.type == "hook") {
      take_hook(member(parsed, "event"));
    } else {
      take_other(parsed);
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
    if (!inner_type_.empty() && (event_.type == "claude" || event_.type == "hook")) {
      name += '.' + inner_type_.substr(0, limits::kTypeBytesMax);
    }
    if (record_.counts.size() >= kCountsMax && !record_.counts.contains(name)) {
      name = kOther;
    }
    ++record_.counts[name];
  }

  void take_result(const json& parsed) {
    if (!record_.assessment) {
      record_.assessment.emplace();
    }
    fold_assessment(*record_.assessment, event_, parsed);
  }

  void take_claude(const json& said) {
    if (inner_type_ == "text_delta") {
      add_text(text_of(said, "text"));
    } else if (inner_type_ == "tool_use_start") {
      (void)open_tool(name_of(said, "id"), name_of(said, "name"));
    } else if (inner_type_ == "tool_input_delta") {
      if (OpenTool* const tool = find_tool(name_of(said, "id"))) {
        tool->input.append(text_of(said, "delta"));
      }
    } else if (inner_type_ == "tool_result") {
      answer_tool(name_of(said, "id"), {}, {},
                  {cut(output_text(member(said, "output"))).shown(),
                   !is_true(member(said, "is_error")), event_.time});
    } else if (inner_type_ == "turn_start") {
      close_text();
    } else if (inner_type_ == "turn_complete") {
      complete_turn(member(said, "usage"));
    } else if (inner_type_ == "error") {
      ++record_.errors;
      add_message("error", text_of(said, "message"));
    } else if (inner_type_ == "permission_request") {
      add_message("permission_request",
                  text_of(said, "tool") + ": " + text_of(said, "description"));
    }
  }

  void take_hook(const json& hook) {
    if (const std::string cwd = name_of(hook, "cwd"); record_.cwd.empty()) {
      record_.cwd = cwd;  // where it began; later ones follow the agent around
    }
    if (inner_type_ == "user_prompt_submit") {
      add_prompt(text_of(hook, "prompt"));
    } else if (inner_type_ == "pre_tool_use") {
      OpenTool& tool = open_tool(name_of(hook, "tool_use_id"), name_of(hook, "tool_name"));
      tool.input = cut(compact(member(hook, "tool_input")));  // the whole of what came in pieces
    } else if (inner_type_ == "post_tool_use" || inner_type_ == "post_tool_use_failure") {
      const json& response =
          member(hook, inner_type_ == "post_tool_use" ? "tool_response" : "error");
      const bool success = inner_type_ == "post_tool_use" && !is_failure(response);
      answer_tool(name_of(hook, "tool_use_id"), name_of(hook, "tool_name"),
                  member(hook, "tool_input"),
                  {cut(output_text(response)).shown(), success, event_.time});
    } else if (inner_type_ == "notification") {
      add_message("notification", text_of(hook, "message"));
    } else if (inner_type_ == "pre_compact") {
      add_message("note", "The context was compacted.");
    } else if (inner_type_ == "session_start") {
      go_on();
    } else if (inner_type_ == "session_end") {
      end();
      end_state({""}, "Ended");  // a terminal it ran in goes on
    }
  }

  void take_other(const json& event) {
    if (event_.type == "user_input") {
      add_prompt(text_of(event, "content"));
    } else if (event_.type == "session_created") {
      record_.created = event_.time;
      go_on();
      take_name(event);
    } else if (event_.type == "session_state_changed") {
      record_.state = name_of(event, "state");
    } else if (event_.type == "session_removed") {
      end();
      end_state({"", "Running"}, "Ended(" + name_of(event, "reason") + ")");
    } else if (event_.type == "permission_response") {
      add_message("permission_response",
                  is_true(member(event, "approved")) ? "approved" : "denied");
    } else if (event_.type == "intervention") {
      add_message("intervention", text_of(event, "message"));
    } else if (event_.type == "intervention_delivered") {
      add_message("intervention_delivered", "The agent was given it with a hook's answer.");
    } else if (event_.type == "session_linked") {
      take_link(event);
    }
  }

  void take_name(const json& event) {
    if (member(event, "name").is_string()) {
      record_.name = name_of(event, "name");
    }
  }

  /// Both sessions of a link are told of it.
  void take_link(const json& event) {
    const std::string upper = text_of(event, "session_id");
    const std::string lower = text_of(event, "linked_session_id");
    const std::string relation = text_of(event, "relation");
    if (record_.links.size() >= kLinksMax) {
      return;
    }
    if (record_.id == lower) {
      record_.links.push_back({upper, relation == "subagent" ? "parent" : relation});
    } else {
      record_.links.push_back({lower, relation});
    }
  }

  void add_text(const std::string& text) {
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

  void complete_turn(const json& usage) {
    close_text();
    ++record_.turns;
    record_.input_tokens += number_of(usage, "input_tokens");
    record_.output_tokens += number_of(usage, "output_tokens");
  }

  /// An agent's prompt may be told by its terminal and by its hook: the same twice in a row is one.
  void add_prompt(const std::string& text) {
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

  void add_message(const char* kind, const std::string& message) {
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
  void answer_tool(const std::string& id, const std::string& name, const json& input,
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
  std::string inner_type_;
};

void Transcript::fold(const event::EventView& event) {
  if (event.offset >= record_.next) {
    Step(*this, event).run();
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
