// SPDX-License-Identifier: MIT
#include "client/session_client.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "client/errc.hpp"
#include "event/base64.hpp"

namespace vibes::client {
namespace {

using nlohmann::json;

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<int> number_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? std::optional(found->get<int>())
                                                             : std::nullopt;
}

WindowSize size_in(const json& object) {
  return {static_cast<unsigned>(std::max(number_in(object, "cols").value_or(0), 0)),
          static_cast<unsigned>(std::max(number_in(object, "rows").value_or(0), 0))};
}

/// Bytes that are no UTF-8 in a path or an argument cannot be said in JSON.
Result<std::string> dump(const json& message) {
  try {
    return message.dump();
  } catch (const json::exception&) {
    return fail(make_error_code(Errc::rejected), "the command or directory is not UTF-8");
  }
}

Result<std::string> attach_message(const AttachRequest& request) {
  json message = {{"type", "attach"}, {"session_id", request.id}};
  if (request.if_missing == AttachRequest::IfMissing::refuse) {
    message["create"] = false;
  }
  if (request.size) {
    message["cols"] = request.size->cols;
    message["rows"] = request.size->rows;
  }
  if (!request.name.empty()) {
    message["name"] = request.name;
  }
  if (!request.parent.empty()) {
    message["parent_session_id"] = request.parent;
  }
  if (!request.cwd.empty()) {
    message["cwd"] = request.cwd;
  }
  if (!request.command.empty()) {
    message["command"] = request.command;
  }
  return dump(message);
}

Unexpected nonsense(std::string_view frame) {
  return fail(make_error_code(Errc::bad_answer), std::string(frame.substr(0, 200)));
}

/// Nothing for what concerns nobody here.
Result<std::optional<SessionMessage>> message_of(const json& object, std::string_view frame) {
  using Outcome = std::optional<SessionMessage>;
  const std::string type = text_in(object, "type");
  if (type == "pty_output" || type == "pty_replay") {
    auto bytes = event::decode_base64(text_in(object, "data"));
    if (!bytes) {
      return nonsense(frame);
    }
    return Outcome(Output{*std::move(bytes), type == "pty_replay"});
  }
  if (type == "attach_ack") {
    return Outcome(Attached{size_in(object)});
  }
  if (type == "pty_exit") {
    return Outcome(Exited{number_in(object, "exit_code"), number_in(object, "signal")});
  }
  if (type == "session_removed") {
    return Outcome(Removed{text_in(object, "reason")});
  }
  if (type == "error") {
    return Outcome(Refused{text_in(object, "code"), text_in(object, "message")});
  }
  return Outcome();
}

}  // namespace

Result<SessionClient> SessionClient::attach(const Target& target, const AttachRequest& request,
                                            Deadline deadline, std::shared_ptr<Waker> waker) {
  VIBES_TRY_ASSIGN(message, attach_message(request));
  VIBES_TRY_ASSIGN(socket, WebSocket::connect(target, "/ws", deadline, std::move(waker)));
  VIBES_TRY(socket.send(message, deadline));
  return SessionClient(request.id, std::move(socket));
}

Result<void> SessionClient::attach_again(const AttachRequest& request, Deadline deadline) {
  VIBES_TRY_ASSIGN(message, attach_message(request));
  return socket_.send(message, deadline);
}

Result<SessionMessage> SessionClient::next(Deadline deadline) {
  for (;;) {
    VIBES_TRY_ASSIGN(frame, socket_.receive(deadline));
    const json object = json::parse(frame, nullptr, false);
    if (!object.is_object()) {
      return nonsense(frame);
    }
    if (text_in(object, "session_id") != id_) {
      continue;
    }
    VIBES_TRY_ASSIGN(message, message_of(object, frame));
    if (message) {
      return *std::move(message);
    }
  }
}

Result<void> SessionClient::input(std::string_view bytes, Deadline deadline) {
  VIBES_ASSERT(bytes.size() <= limits::kPtyInputBytesMax);
  VIBES_TRY_ASSIGN(
      text,
      dump({{"type", "pty_input"}, {"session_id", id_}, {"data", event::encode_base64(bytes)}}));
  return socket_.send(text, deadline);
}

Result<void> SessionClient::resize(WindowSize size, Deadline deadline) {
  VIBES_TRY_ASSIGN(
      text,
      dump(
          {{"type", "pty_resize"}, {"session_id", id_}, {"cols", size.cols}, {"rows", size.rows}}));
  return socket_.send(text, deadline);
}

}  // namespace vibes::client
