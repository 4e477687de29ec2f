// SPDX-License-Identifier: MIT
#include "event/session_link.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"

namespace vibes::event {
namespace {

bool is_session(std::string_view id) {
  return !id.empty() && id.size() <= limits::kSessionBytesMax;
}

std::string_view name_of(SessionRelation relation) {
  return relation == SessionRelation::agent ? "agent" : "subagent";
}

}  // namespace

NewEvent make_session_linked(const SessionLink& link) {
  VIBES_ASSERT(is_session(link.session) && is_session(link.linked));
  std::string text = R"({"type":"session_linked","session_id":)";
  append_json_string(text, link.session);
  text += R"(,"linked_session_id":)";
  append_json_string(text, link.linked);
  text += fmt::format(R"(,"relation":"{}"}})", name_of(link.relation));
  auto event = check(text);
  VIBES_ASSERT(event.has_value());
  event->event_id = name_uuid(kUrlNamespace, "urn:vibes:session-link:" + text);
  return *std::move(event);
}

}  // namespace vibes::event
