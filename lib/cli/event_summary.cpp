// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "cli/event_line.hpp"

namespace vibes::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Long texts are cut before anything is done with them; no terminal is that wide.
constexpr std::size_t kTextBytesMax = 2'000;
constexpr std::size_t kDepthMax = 64;

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kTextBytesMax)) {
    const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

std::string compact(const Json& json) {
  if (json.is_string()) {
    return one_line(json.get_ref<const std::string&>());
  }
  return one_line(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

const Json& member(const Json& json, const char* key) {
  static const Json kNull;
  if (!json.is_object()) {
    return kNull;
  }
  const auto found = json.find(key);
  return found == json.end() ? kNull : *found;
}

/// The member's text, empty if there is none.
std::string text(const Json& json, const char* key) {
  const Json& value = member(json, key);
  return value.is_null() ? std::string() : compact(value);
}

std::string joined(const std::string& name, const std::string& detail) {
  if (name.empty() || detail.empty()) {
    return name + detail;
  }
  return name + ": " + detail;
}

/// What a tool was asked to do: the one input that names it, else all of them.
std::string tool_input(const Json& input) {
  constexpr std::array<const char*, 9> kTelling{"command", "file_path",     "path",
                                                "pattern", "url",           "query",
                                                "prompt",  "notebook_path", "description"};
  for (const char* key : kTelling) {
    if (member(input, key).is_string()) {
      return text(input, key);
    }
  }
  return input.is_null() || input.empty() ? std::string() : compact(input);
}

std::string tool_response(const Json& response) {
  if (response.is_string()) {
    return compact(response);
  }
  for (const char* key : {"stderr", "error", "stdout", "output", "content", "filePath"}) {
    if (std::string found = text(response, key); !found.empty()) {
      return found;
    }
  }
  return response.is_null() || response.empty() ? std::string() : compact(response);
}

bool is_true(const Json& json, const char* key) { return member(json, key) == Json(true); }

bool response_failed(const Json& response) {
  const Json& code = member(response, "exit_code");
  return is_true(response, "interrupted") || is_true(response, "is_error") ||
         (code.is_number_integer() && code != Json(0));
}

/// All members but those shown elsewhere on the line.
std::string remaining_members(const Json& json) {
  constexpr std::array<std::string_view, 9> kShown{"type",
                                                   "session_id",
                                                   "event_id",
                                                   "hook_event_name",
                                                   "transcript_path",
                                                   "permission_mode",
                                                   "cwd",
                                                   "tool_use_id",
                                                   "stop_hook_active"};
  Json rest = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (std::find(kShown.begin(), kShown.end(), key) == kShown.end()) {
      rest[key] = value;
    }
  }
  if (rest.empty()) {
    return {};
  }
  for (const char* key : {"text", "message", "content", "title", "body"}) {
    if (rest.size() == 1 && member(rest, key).is_string()) {
      return text(rest, key);
    }
  }
  return compact(rest);
}

std::string usage_text(const Json& usage) {
  if (!usage.is_object()) {
    return {};
  }
  return text(usage, "input_tokens") + " tokens in, " + text(usage, "output_tokens") + " out";
}

Summary of_claude(const Json& inner) {
  Summary summary;
  const std::string type = text(inner, "type");
  summary.label = type.empty() ? "claude" : type;
  if (type == "text_delta" || type == "thinking_delta") {
    summary.text = text(inner, "text");
  } else if (type == "tool_use_start") {
    summary.text = text(inner, "name");
  } else if (type == "tool_input_delta") {
    summary.text = text(inner, "delta");
  } else if (type == "tool_result") {
    summary.is_failure = is_true(inner, "is_error");
    summary.text = (summary.is_failure ? "failed: " : "") + text(inner, "output");
  } else if (type == "turn_complete") {
    summary.text = usage_text(member(inner, "usage"));
  } else if (type == "error") {
    summary.is_failure = true;
    summary.text = text(inner, "message");
  } else if (type == "permission_request") {
    summary.text = joined(text(inner, "tool"), text(inner, "description"));
  } else {
    summary.text = remaining_members(inner);
  }
  return summary;
}

Summary of_hook(const Json& inner) {
  Summary summary;
  const std::string type = text(inner, "type");
  summary.label = type.empty() ? "hook" : type;
  if (type == "pre_tool_use" || type == "permission_request") {
    summary.text = joined(text(inner, "tool_name"), tool_input(member(inner, "tool_input")));
  } else if (type == "post_tool_use") {
    const Json& response = member(inner, "tool_response");
    summary.is_failure = response_failed(response);
    summary.text = joined(text(inner, "tool_name"),
                          (summary.is_failure ? "failed: " : "") + tool_response(response));
  } else if (type == "user_prompt_submit") {
    summary.text = text(inner, "prompt");
  } else if (type == "notification") {
    summary.text = text(inner, "message");
  } else if (type == "subagent_stop") {
    summary.text = text(inner, "agent_id");
  } else if (type == "session_start") {
    summary.text = joined(text(inner, "source"), text(inner, "cwd"));
  } else if (type == "session_end") {
    summary.text = text(inner, "reason");
  } else {
    summary.text = remaining_members(inner);
  }
  return summary;
}

/// "prompt, frustration 0.12: negative error, negative failed" or the summary of what came before.
std::string of_assessment(const Json& json) {
  const std::string summary = text(json, "summary");
  if (!summary.empty() || !member(json, "frustration").is_number()) {
    return joined(text(json, "tier"), summary);
  }
  std::string signals;
  for (const Json& signal : member(json, "signals")) {
    const std::string what = text(signal, "signal");
    const std::string detail = text(signal, "pattern") + text(signal, "tool_name");
    signals += (signals.empty() ? "" : ", ") + what + (detail.empty() ? "" : " " + detail);
  }
  const std::string breaker = text(member(json, "breaker"), "state");
  return joined(text(json, "kind") + ", frustration " + text(json, "frustration") +
                    (breaker == "closed" || breaker.empty() ? "" : ", breaker " + breaker),
                signals);
}

struct Told {
  std::string_view type;
  const char* member;
};
/// Types of which one member says it all.
constexpr std::array<Told, 9> kTold{{{"user_input", "content"},
                                     {"session_created", "name"},
                                     {"session_state_changed", "state"},
                                     {"session_removed", "reason"},
                                     {"ownership_transferred", "new_owner_id"},
                                     {"client_connected", "client_id"},
                                     {"client_disconnected", "client_id"},
                                     {"intervention", "reason"},
                                     {"notification", "title"}}};

std::string of_plain(const Json& json, std::string_view type) {
  for (const Told& told : kTold) {
    if (told.type == type) {
      const std::string found = text(json, told.member);
      return found.empty() && type != "session_created" ? remaining_members(json) : found;
    }
  }
  if (type == "permission_response") {
    return text(json, "request_id") + (is_true(json, "approved") ? " approved" : " denied");
  }
  if (type == "assessment") {
    return of_assessment(json);
  }
  if (type == "intervention_delivered") {
    return "intervention " + text(json, "intervention_id") + " was given to the agent by hook " +
           text(json, "hook_event_id");
  }
  if (type == "tunnel_state_changed") {
    return joined(text(json, "state"), text(json, "url"));
  }
  return remaining_members(json);
}

/// Depth is bounded where events are checked; a payload from elsewhere must not overflow our stack
/// either.
Json parse(std::string_view payload) {
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) {
    return static_cast<std::size_t>(depth) <= kDepthMax;
  };
  return Json::parse(payload, shallow, false);
}

}  // namespace

Summary summarise(const event::EventView& event) {
  const Json json = parse(event.payload);
  if (!json.is_object()) {
    return {std::string(event.type), one_line(event.payload), false};
  }
  if (event.type == "claude") {
    return of_claude(member(json, "event"));
  }
  if (event.type == "hook") {
    return of_hook(member(json, "event"));
  }
  return {std::string(event.type), of_plain(json, event.type), false};
}

}  // namespace vibes::cli
