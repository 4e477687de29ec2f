// SPDX-License-Identifier: MIT
#include "client/append_client.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "client/errc.hpp"

namespace vibes::client {
namespace {

std::string path_of(const AppendOptions& options) {
  std::string path = "/ws/append";
  char separator = '?';
  if (!options.minimum_ack.empty()) {
    path += separator + ("ack=" + options.minimum_ack);
    separator = '&';
  }
  if (options.want_ids) {
    path += std::string(1, separator) + "ids=1";
  }
  return path;
}

std::uint64_t count_events(std::string_view message) {
  std::uint64_t count = 0;
  while (!message.empty()) {
    const auto line = message.substr(0, message.find('\n'));
    count += line.find_first_not_of(" \t\r") == std::string_view::npos ? 0U : 1U;
    message.remove_prefix(std::min(message.size(), line.size() + 1));
  }
  return count;
}

Unexpected nonsense(std::string_view frame) {
  return fail(make_error_code(Errc::bad_answer), std::string(frame.substr(0, 200)));
}

std::uint64_t number_in(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::optional<Offset> offset_in(const nlohmann::json& json, const char* key) {
  return json.contains(key) ? std::optional(Offset(number_in(json, key))) : std::nullopt;
}

std::string text_in(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<Uuid> ids_in(const nlohmann::json& json) {
  std::vector<Uuid> ids;
  const auto found = json.find("event_ids");
  if (found != json.end() && found->is_array()) {
    for (const auto& id : *found) {
      ids.push_back(parse_uuid(id.is_string() ? id.get_ref<const std::string&>() : std::string())
                        .value_or(Uuid{}));
    }
  }
  return ids;
}

}  // namespace

AppendClient::AppendClient(Target target, AppendOptions options, WebSocket socket)
    : target_(std::move(target)), options_(std::move(options)), socket_(std::move(socket)) {}

Result<AppendClient> AppendClient::connect(const Target& target, const AppendOptions& options,
                                           Deadline deadline) {
  VIBES_TRY_ASSIGN(socket, WebSocket::connect(target, path_of(options), deadline));
  return AppendClient(target, options, std::move(socket));
}

Result<void> AppendClient::reconnect(Deadline deadline) {
  VIBES_TRY_ASSIGN(socket, WebSocket::connect(target_, path_of(options_), deadline));
  socket_ = std::move(socket);
  for (Unanswered& message : unanswered_) {
    message.events = count_events(message.text);
    VIBES_TRY(socket_.send(message.text, deadline));
  }
  return {};
}

Result<void> AppendClient::send(std::string_view message, Deadline deadline) {
  while (!unanswered_.empty() &&
         unanswered_bytes_ + message.size() > limits::kUnackedBytesPerConnection) {
    VIBES_TRY_ASSIGN(frame, socket_.receive(deadline));
    VIBES_TRY_ASSIGN(answer, take_answer(frame));
    early_.push_back(std::move(answer));
  }
  VIBES_TRY(socket_.send(message, deadline));
  unanswered_.push_back({std::string(message), count_events(message)});
  unanswered_bytes_ += message.size();
  return {};
}

Result<AppendAnswer> AppendClient::receive(Deadline deadline) {
  if (!early_.empty()) {
    AppendAnswer answer = std::move(early_.front());
    early_.pop_front();
    return answer;
  }
  VIBES_TRY_ASSIGN(frame, socket_.receive(deadline));
  return take_answer(frame);
}

Result<AppendAnswer> AppendClient::take_answer(std::string_view frame) {
  const auto json = nlohmann::json::parse(frame, nullptr, false);
  if (!json.is_object()) {
    return nonsense(frame);
  }
  const std::string type = text_in(json, "type");
  if (type == "ack") {
    Ack ack;
    ack.events = number_in(json, "count");
    ack.pending = json.contains("pending") && json["pending"] == true;
    ack.first_offset = offset_in(json, "first_offset");
    ack.last_offset = offset_in(json, "last_offset");
    ack.duplicates = number_in(json, "duplicates");
    ack.durability = text_in(json, "durability");
    ack.event_ids = ids_in(json);
    return settle(std::move(ack));
  }
  if ((type == "nack" || type == "error") && !unanswered_.empty()) {
    Nack nack;
    nack.code = text_in(json, "code");
    nack.line = number_in(json, "line");
    nack.message = text_in(json, "message");
    nack.sent = std::move(unanswered_.front().text);
    unanswered_bytes_ -= nack.sent.size();
    unanswered_.pop_front();
    return AppendAnswer(std::move(nack));
  }
  return nonsense(frame);
}

/// An ack sums over whole messages, but a peer that acknowledges a message in pieces does no harm.
Result<AppendAnswer> AppendClient::settle(Ack ack) {
  for (std::uint64_t left = ack.events; left > 0;) {
    if (unanswered_.empty()) {
      return fail(make_error_code(Errc::bad_answer), "more events acknowledged than were sent");
    }
    const std::uint64_t taken = std::min(left, unanswered_.front().events);
    unanswered_.front().events -= taken;
    left -= taken;
    if (unanswered_.front().events == 0) {
      drop_front();
      ++ack.messages;
    }
  }
  return AppendAnswer(std::move(ack));
}

void AppendClient::drop_front() {
  unanswered_bytes_ -= unanswered_.front().text.size();
  unanswered_.pop_front();
}

}  // namespace vibes::client
