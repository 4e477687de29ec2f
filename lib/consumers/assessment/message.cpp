// SPDX-License-Identifier: MIT
#include "consumers/assessment/message.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/limits.hpp"
#include "consumers/assessment/errc.hpp"
#include "consumers/assessment/text_cut.hpp"
#include "event/payload.hpp"

namespace vibes::consumers::assessment {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;
using Kind = Message::Kind;

constexpr std::size_t kNameBytesMax = 128;  // of a tool, of an id, of a reason

Unexpected refuse(std::string_view field) {
  return fail(Errc::bad_payload, fmt::format("the field {} is of an unexpected kind", field));
}

Message of_kind(Kind kind) {
  Message message;
  message.kind = kind;
  return message;
}

/// A member that may be missing or null but, where it is there, is a T.
template <class T>
Result<std::optional<T>> member(object from, std::string_view key) {
  element value;
  if (from[key].get(value) != simdjson::SUCCESS || value.is_null()) {
    return std::optional<T>();
  }
  T typed{};
  if (value.get(typed) != simdjson::SUCCESS) {
    return refuse(key);
  }
  return std::optional<T>(typed);
}

template <class T>
Result<T> required(object from, std::string_view key) {
  VIBES_TRY_ASSIGN(value, member<T>(from, key));
  if (!value) {
    return refuse(key);
  }
  return *value;
}

Result<std::string> name(object from, std::string_view key) {
  VIBES_TRY_ASSIGN(value, member<std::string_view>(from, key));
  return std::string(head(value.value_or(""), kNameBytesMax));
}

Result<Message> with_text(Kind kind, object from, std::string_view key) {
  VIBES_TRY_ASSIGN(text, required<std::string_view>(from, key));
  Message message;
  message.kind = kind;
  message.text = head(text, limits::kAssessedTextBytesMax);
  return message;
}

Result<Message> turn_end(object event) {
  Message message;
  message.kind = Kind::turn_end;
  VIBES_TRY_ASSIGN(usage, member<object>(event, "usage"));
  if (usage) {
    VIBES_TRY_ASSIGN(input, member<std::uint64_t>(*usage, "input_tokens"));
    VIBES_TRY_ASSIGN(output, member<std::uint64_t>(*usage, "output_tokens"));
    // Capped, so that sums of absurd counts do not wrap round.
    constexpr std::uint64_t kTokensMax = 1'000'000'000;
    message.input_tokens = std::min(input.value_or(0), kTokensMax);
    message.output_tokens = std::min(output.value_or(0), kTokensMax);
  }
  return message;
}

Result<Message> tool_start(object event) {
  Message message;
  message.kind = Kind::tool_start;
  VIBES_TRY_ASSIGN(id, name(event, "id"));
  VIBES_TRY_ASSIGN(tool, name(event, "name"));
  message.tool_use_id = std::move(id);
  message.tool_name = std::move(tool);
  return message;
}

Result<Message> tool_result(object event) {
  Message message;
  message.kind = Kind::tool_result;
  VIBES_TRY_ASSIGN(id, name(event, "id"));
  VIBES_TRY_ASSIGN(output, required<std::string_view>(event, "output"));
  VIBES_TRY_ASSIGN(is_error, required<bool>(event, "is_error"));
  message.tool_use_id = std::move(id);
  message.text = tail(output, limits::kAssessedTextBytesMax);
  message.success = is_error ? Message::Success::failed : Message::Success::ok;
  return message;
}

Result<Message> from_claude(object event) {
  VIBES_TRY_ASSIGN(type, required<std::string_view>(event, "type"));
  if (type == "text_delta") {
    return with_text(Kind::text_part, event, "text");
  }
  if (type == "turn_start") {
    return of_kind(Kind::turn_start);
  }
  if (type == "turn_complete") {
    return turn_end(event);
  }
  if (type == "tool_use_start") {
    return tool_start(event);
  }
  if (type == "tool_result") {
    return tool_result(event);
  }
  if (type == "error") {
    return with_text(Kind::error, event, "message");
  }
  return Message{};
}

bool is_true(object response, std::string_view key) {
  bool value = false;
  return response[key].get(value) == simdjson::SUCCESS && value;
}

bool is_not_zero(object response, std::string_view key) {
  double value = 0;
  return response[key].get(value) == simdjson::SUCCESS && value != 0;
}

bool has_failed(object response) {
  return is_true(response, "interrupted") || is_true(response, "is_error") ||
         is_not_zero(response, "exit_code") || is_not_zero(response, "exitCode");
}

/// What a tool printed, under the names that tools give it.
std::string printed(object response) {
  std::string text;
  for (const std::string_view key : {"stdout", "stderr", "content", "output", "error"}) {
    std::string_view part;
    if (response[key].get(part) == simdjson::SUCCESS && !part.empty()) {
      text.append(text.empty() ? "" : "\n");
      text.append(tail(part, limits::kAssessedTextBytesMax));
    }
  }
  return text;
}

Result<Message> post_tool_use(object event) {
  Message message;
  message.kind = Kind::tool_result;
  VIBES_TRY_ASSIGN(tool, name(event, "tool_name"));
  VIBES_TRY_ASSIGN(id, name(event, "tool_use_id"));
  message.tool_name = std::move(tool);
  message.tool_use_id = std::move(id);
  object response;
  std::string_view text;
  if (event["tool_response"].get(response) == simdjson::SUCCESS) {
    const std::string all = printed(response);
    message.text = tail(all, limits::kAssessedTextBytesMax);
    message.success = has_failed(response) ? Message::Success::failed : Message::Success::ok;
  } else if (event["tool_response"].get(text) == simdjson::SUCCESS) {
    message.text = tail(text, limits::kAssessedTextBytesMax);
  }
  return message;
}

Result<Message> from_hook(object event) {
  VIBES_TRY_ASSIGN(type, required<std::string_view>(event, "type"));
  if (type == "user_prompt_submit") {
    VIBES_TRY_ASSIGN(prompt, member<std::string_view>(event, "prompt"));
    return prompt ? with_text(Kind::prompt, event, "prompt") : Message{};
  }
  if (type == "post_tool_use") {
    return post_tool_use(event);
  }
  if (type == "session_end") {
    Message message = of_kind(Kind::session_end);
    VIBES_TRY_ASSIGN(reason, name(event, "reason"));
    message.reason = std::move(reason);
    return message;
  }
  return Message{};
}

Result<Message> session_removed(object root) {
  Message message = of_kind(Kind::session_end);
  VIBES_TRY_ASSIGN(reason, name(root, "reason"));
  message.reason = std::move(reason);
  return message;
}

Result<Message> from_root(std::string_view type, object root) {
  if (type == "user_input") {
    return with_text(Kind::prompt, root, "content");
  }
  if (type == "session_removed") {
    return session_removed(root);
  }
  VIBES_TRY_ASSIGN(event, required<object>(root, "event"));
  if (type == "claude") {
    return from_claude(event);
  }
  VIBES_TRY_ASSIGN(message, from_hook(event));
  message.source = Message::Source::hook;
  return message;
}

bool is_assessed(std::string_view type) {
  return type == "claude" || type == "hook" || type == "user_input" || type == "session_removed";
}

}  // namespace

Result<Message> read_message(std::string_view type, std::string_view payload) {
  if (!is_assessed(type)) {
    return Message{};
  }
  thread_local event::PayloadReader reader;
  const auto payload_value = reader.read(payload).element();
  if (!payload_value) {
    return fail(Errc::bad_payload, "the event is not JSON that can be read");
  }
  object root;
  if (payload_value->get(root) != simdjson::SUCCESS) {
    return fail(Errc::bad_payload, "the event is not an object");
  }
  return from_root(type, root);
}

}  // namespace vibes::consumers::assessment
