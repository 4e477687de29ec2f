// SPDX-License-Identifier: MIT
#include "net/session_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "event/base64.hpp"
#include "net/session_messages.hpp"

namespace vibes::net {

namespace {

using nlohmann::json;
using session::SessionSpec;

// What the Rust project's server understands and this one does not offer.
constexpr std::array<std::string_view, 16> kUnsupported = {
    "list_models",  "list_agents",       "spawn_agent",      "agent_status",
    "pause_agent",  "resume_agent",      "cancel_agent",     "stop_agent",
    "create_study", "start_study",       "stop_study",       "list_studies",
    "get_study",    "record_checkpoint", "subscribe_traces", "unsubscribe_traces"};

Unexpected bad(std::string what) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(what));
}

const json* member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<std::string>> optional_text(const json& object, const char* key) {
  const json* value = member(object, key);
  if (value == nullptr) {
    return std::optional<std::string>();
  }
  if (!value->is_string()) {
    return bad(std::string(key) + " must be a string");
  }
  return std::optional(value->get_ref<const std::string&>());
}

Result<std::string> text(const json& object, const char* key) {
  VIBES_TRY_ASSIGN(value, optional_text(object, key));
  if (!value) {
    return bad(std::string(key) + " is missing");
  }
  return *std::move(value);
}

/// Sizes out of range become 0, which the registry refuses by its own name.
Result<std::optional<unsigned>> optional_size(const json& object, const char* key) {
  const json* value = member(object, key);
  if (value == nullptr) {
    return std::optional<unsigned>();
  }
  if (!value->is_number_integer()) {
    return bad(std::string(key) + " must be an integer");
  }
  const auto number = value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
  return std::optional(
      number <= limits::kPtyColsMax + limits::kPtyRowsMax ? static_cast<unsigned>(number) : 0U);
}

Result<std::vector<std::string>> command(const json& object) {
  std::vector<std::string> argv;
  const json* value = member(object, "command");
  if (value == nullptr) {
    return argv;
  }
  if (!value->is_array() || value->empty() || value->size() > limits::kSessionCommandArgsMax) {
    return bad("command must be an array of 1 to 256 strings");
  }
  std::size_t bytes = 0;
  for (const json& argument : *value) {
    if (!argument.is_string()) {
      return bad("command must be an array of strings");
    }
    argv.push_back(argument.get_ref<const std::string&>());
    bytes += argv.back().size();
    if (argv.back().find('\0') != std::string::npos || bytes > limits::kSessionCommandBytesMax) {
      return bad("command has at most 65536 bytes and no NUL");
    }
  }
  return argv;
}

Result<void> read_spec(const json& object, SessionSpec& spec) {
  VIBES_TRY_ASSIGN(name, optional_text(object, "name"));
  VIBES_TRY_ASSIGN(cwd, optional_text(object, "cwd"));
  VIBES_TRY_ASSIGN(parent, optional_text(object, "parent_session_id"));
  VIBES_TRY_ASSIGN(argv, command(object));
  VIBES_TRY_ASSIGN(cols, optional_size(object, "cols"));
  VIBES_TRY_ASSIGN(rows, optional_size(object, "rows"));
  spec.name = std::move(name);
  spec.cwd = std::move(cwd);
  spec.parent = std::move(parent);
  spec.command = std::move(argv);
  spec.cols = cols;
  spec.rows = rows;
  return {};
}

Result<void> read_if_missing(const json& object, SessionSpec& spec) {
  const json* create = member(object, "create");
  if (create != nullptr && !create->is_boolean()) {
    return bad("create must be true or false");
  }
  if (create != nullptr && !create->get<bool>()) {
    spec.if_missing = SessionSpec::IfMissing::refuse;
  }
  return {};
}

Result<void> read_resize(const json& object, SessionRequest& request) {
  VIBES_TRY_ASSIGN(cols, optional_size(object, "cols"));
  VIBES_TRY_ASSIGN(rows, optional_size(object, "rows"));
  if (!cols || !rows) {
    return bad("cols and rows are missing");
  }
  request.spec.cols = cols;
  request.spec.rows = rows;
  return {};
}

Result<void> read_input(const json& object, SessionRequest& request) {
  VIBES_TRY_ASSIGN(data, text(object, "data"));
  auto bytes = event::decode_base64(data);
  if (!bytes) {
    return bad("data must be base64 with padding");
  }
  request.data = *std::move(bytes);
  return {};
}

Result<void> read_by_kind(const json& object, SessionRequest& request) {
  using Kind = SessionRequest::Kind;
  if (request.kind == Kind::list) {
    VIBES_TRY_ASSIGN(request_id, text(object, "request_id"));
    request.request_id = std::move(request_id);
    return {};
  }
  VIBES_TRY_ASSIGN(id, text(object, "session_id"));
  request.spec.id = std::move(id);
  switch (request.kind) {
    case Kind::attach:
      VIBES_TRY(read_if_missing(object, request.spec));
      return read_spec(object, request.spec);
    case Kind::input:
      return read_input(object, request);
    case Kind::resize:
      return read_resize(object, request);
    default:
      return {};
  }
}

std::optional<SessionRequest::Kind> kind_of(std::string_view type) {
  using Kind = SessionRequest::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 6> kKinds = {
      {{"pty_input", Kind::input},
       {"pty_resize", Kind::resize},
       {"attach", Kind::attach},
       {"detach", Kind::detach},
       {"list_sessions", Kind::list},
       {"kill_session", Kind::kill}}};
  const auto* const found = std::find_if(kKinds.begin(), kKinds.end(),
                                         [&](const auto& kind) { return kind.first == type; });
  return found == kKinds.end() ? std::nullopt : std::optional(found->second);
}

std::string_view text_or_nothing(const json& object, const char* key) {
  const json* value = member(object, key);
  return value != nullptr && value->is_string()
             ? std::string_view(value->get_ref<const std::string&>())
             : std::string_view();
}

ParsedRequest refuse(const json& object, std::string_view code, std::string_view message) {
  const bool known = object.is_object();
  return {.request = {},
          .refused = error_message(
              {.session_id = known ? text_or_nothing(object, "session_id") : std::string_view(),
               .code = code,
               .message = message,
               .request_id = known ? text_or_nothing(object, "request_id") : std::string_view()})};
}

}  // namespace

ParsedRequest parse_session_request(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return refuse(object, "bad_message", "a message is a JSON object");
  }
  const std::string_view type = text_or_nothing(object, "type");
  if (std::find(kUnsupported.begin(), kUnsupported.end(), type) != kUnsupported.end()) {
    return refuse(object, "unsupported", "this server has no " + std::string(type));
  }
  const auto kind = kind_of(type);
  if (!kind) {
    return refuse(object, "bad_message", "type is missing or unknown");
  }
  ParsedRequest parsed;
  parsed.request.kind = *kind;
  if (const auto read = read_by_kind(object, parsed.request); !read) {
    return refuse(object, "bad_message", read.error().context);
  }
  return parsed;
}

Result<SessionSpec> parse_session_spec(std::string_view body) {
  const json object = json::parse(body, nullptr, false);
  if (!object.is_object()) {
    return bad("the body must be a JSON object");
  }
  SessionSpec spec;
  VIBES_TRY_ASSIGN(id, optional_text(object, "session_id"));
  spec.id = id ? *std::move(id) : to_string(random_uuid());
  VIBES_TRY(read_spec(object, spec));
  return spec;
}

}  // namespace vibes::net
