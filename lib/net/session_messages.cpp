// SPDX-License-Identifier: MIT
#include "net/session_messages.hpp"

#include <nlohmann/json.hpp>

#include "event/base64.hpp"
#include "event/codec.hpp"

namespace vibes::net {

namespace {

using nlohmann::json;

std::string dump(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

json optional_text(const std::optional<std::string>& text) { return text ? json(*text) : json(); }

/// Terminal data is most of what we send: put together by hand, copied once.
std::string data_message(std::string_view type, std::string_view session_id,
                         std::string_view bytes) {
  std::string text = "{\"type\":\"";
  text += type;
  text += "\",\"session_id\":";
  event::append_json_string(text, session_id);
  text += ",\"data\":\"";
  text += event::encode_base64(bytes);
  text += "\"}";
  return text;
}

json to_json(const session::SessionInfo& session, std::string_view client_id) {
  return {{"id", session.id},
          {"name", optional_text(session.name)},
          {"state", session.state},
          {"owner_id", session.owner_id},
          {"is_owner", !client_id.empty() && session.owner_id == client_id},
          {"subscriber_count", session.subscriber_count},
          {"created_at", session.created_at},
          {"last_activity_at", session.last_activity_at},
          {"cwd", session.cwd},
          {"cols", session.cols},
          {"rows", session.rows},
          {"pid", session.pid}};
}

std::string_view text_member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : std::string_view();
}

json member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? *found : json();
}

}  // namespace

std::string error_message(const SessionError& error) {
  json message = {{"type", "error"},
                  {"session_id", error.session_id.empty() ? json() : json(error.session_id)},
                  {"code", error.code},
                  {"message", error.message}};
  if (!error.request_id.empty()) {
    message["request_id"] = error.request_id;
  }
  return dump(message);
}

std::string error_message(std::string_view session_id, const Error& error) {
  return error_message({.session_id = session_id,
                        .code = session::wire_code(error.code),
                        .message = error.message(),
                        .request_id = {}});
}

std::string auth_context_message() { return R"({"type":"auth_context","source":"local"})"; }

std::string attach_ack_message(std::string_view session_id, session::TerminalSize size) {
  return dump({{"type", "attach_ack"},
               {"session_id", session_id},
               {"cols", size.cols},
               {"rows", size.rows}});
}

std::string replay_message(std::string_view session_id, std::string_view bytes) {
  return data_message("pty_replay", session_id, bytes);
}

std::string output_message(std::string_view session_id, std::string_view bytes) {
  return data_message("pty_output", session_id, bytes);
}

std::string exit_message(std::string_view session_id, const session::SessionEnd& end) {
  json message = {{"type", "pty_exit"},
                  {"session_id", session_id},
                  {"exit_code", end.exit_code ? json(*end.exit_code) : json()}};
  if (end.signal) {
    message["signal"] = *end.signal;
  }
  return dump(message);
}

std::string removed_message(std::string_view session_id, std::string_view reason) {
  return dump({{"type", "session_removed"}, {"session_id", session_id}, {"reason", reason}});
}

std::string session_list_message(std::string_view request_id,
                                 const std::vector<session::SessionInfo>& sessions,
                                 std::string_view client_id) {
  json list = json::array();
  for (const session::SessionInfo& session : sessions) {
    list.push_back(to_json(session, client_id));
  }
  return dump({{"type", "session_list"}, {"request_id", request_id}, {"sessions", list}});
}

std::string session_json(const session::SessionInfo& session, std::string_view client_id) {
  return dump(to_json(session, client_id));
}

std::optional<LogMessage> log_message(const event::EventView& event) {
  const json stored = json::parse(event.payload, nullptr, false);
  if (!stored.is_object()) {
    return std::nullopt;
  }
  const std::string_view session_id = text_member(stored, "session_id");
  if (event.type == "session_created") {
    return LogMessage{.text = dump({{"type", "session_notification"},
                                    {"session_id", session_id},
                                    {"name", member(stored, "name")}}),
                      .removed_session = {}};
  }
  if (event.type == "session_state_changed") {
    return LogMessage{.text = dump({{"type", "session_state"},
                                    {"session_id", session_id},
                                    {"state", text_member(stored, "state")}}),
                      .removed_session = {}};
  }
  if (event.type == "session_removed") {
    return LogMessage{.text = removed_message(session_id, text_member(stored, "reason")),
                      .removed_session = std::string(session_id)};
  }
  if (event.type == "tunnel_state_changed") {
    return LogMessage{.text = dump({{"type", "tunnel_state"},
                                    {"state", text_member(stored, "state")},
                                    {"url", member(stored, "url")}}),
                      .removed_session = {}};
  }
  return std::nullopt;
}

}  // namespace vibes::net
