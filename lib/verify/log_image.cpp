// SPDX-License-Identifier: MIT
#include "verify/log_image.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "client/frame_reader.hpp"
#include "client/web_socket.hpp"
#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

std::string text_in(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Logged logged_event(Image image, Offset offset, const Uuid& event_id, std::string_view payload) {
  Logged logged{image, offset, event_id, digest_of(payload), "", ""};
  const auto event = nlohmann::json::parse(payload, nullptr, false);
  if (event.is_object()) {
    logged.type = text_in(event, "type");
    logged.session = text_in(event, "session_id");
  }
  return logged;
}

Result<std::vector<Logged>> read_log(const client::Target& target, Image image, const LogPart& part,
                                     client::Deadline deadline) {
  const std::string path =
      fmt::format("/ws/firehose?from={}&until=end&batch=1{}", part.from.value(),
                  part.session.empty() ? "" : "&session=" + part.session);
  VIBES_TRY_ASSIGN(socket, client::WebSocket::connect(target, path, deadline));
  client::FrameReader reader;
  std::vector<Logged> log;
  while (true) {
    VIBES_TRY_ASSIGN(text, socket.receive(deadline));
    VIBES_TRY_ASSIGN(frame, reader.read(text));
    if (const auto* events = std::get_if<client::Events>(&frame)) {
      for (const client::TailEvent& event : events->events) {
        log.push_back(logged_event(image, event.offset, parse_uuid(event.event_id).value_or(Uuid{}),
                                   event.event));
      }
    } else if (std::holds_alternative<client::Ended>(frame)) {
      return log;
    } else if (const auto* error = std::get_if<client::ErrorFrame>(&frame)) {
      return fail(Errc::unexpected_answer, fmt::format("{}: {}", error->code, error->message));
    }
  }
}

}  // namespace vibes::verify
