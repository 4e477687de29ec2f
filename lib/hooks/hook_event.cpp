// SPDX-License-Identifier: MIT
#include "hooks/hook_event.hpp"

#include <string>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/base64.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"
#include "event/json_verdict.hpp"
#include "event/session_link.hpp"
#include "hooks/hook_payload.hpp"

namespace vibes::hooks {
namespace {

// What an event has around the payload: two session ids, each character at its longest, and names.
constexpr std::size_t kWrappingBytesMax = 4 * limits::kKiB;

std::string_view terminal_session(const HookCall& call) {
  return call.session.size() <= limits::kSessionBytesMax ? call.session : std::string_view();
}

void append_session(std::string& out, std::string_view session) {
  if (session.empty()) {
    out += "null";
  } else {
    event::append_json_string(out, session);
  }
}

event::NewEvent unparsed(const HookCall& call, const Error& why) {
  std::string text = R"({"type":"hook_unparsed","session_id":)";
  append_session(text, terminal_session(call));
  text += R"(,"reason":)";
  event::append_json_string(text, why.message());
  text += fmt::format(R"(,"bytes":{},"raw":"{}"}})", call.payload.size(),
                      event::encode_base64(call.payload.substr(0, limits::kHookRawBytesKept)));
  auto event = event::check(text);
  VIBES_ASSERT(event.has_value());
  event->event_id = call.id;
  return *std::move(event);
}

/// Lengths keep the parts apart.
Uuid derived_id(const PayloadFacts& facts) {
  std::string name = "urn:vibes:hook:";
  for (const std::string& part : {facts.session, facts.type, facts.agent, facts.tool_use}) {
    name += fmt::format("{}:{}", part.size(), part);
  }
  return name_uuid(kUrlNamespace, name);
}

std::string wrap(const HookCall& call, std::string_view object, const PayloadFacts& facts) {
  const std::string_view session = terminal_session(call);
  std::string text = R"({"type":"hook","session_id":)";
  append_session(text, session.empty() ? facts.session : session);
  text += R"(,"event":)";
  text += inner_event(object, facts.type, limits::kEventBytesMax - kWrappingBytesMax);
  return text + '}';
}

}  // namespace

HookEvents make_events(const HookCall& call) {
  const std::string_view object = event::trim(call.payload);
  if (const auto judged = event::judge_json(object); !judged) {
    return {unparsed(call, judged.error()), std::nullopt};
  }
  const PayloadFacts facts = facts_of(object);
  auto hook = event::check(wrap(call, object, facts));
  if (!hook) {
    return {unparsed(call, hook.error()), std::nullopt};
  }
  hook->event_id = facts.tool_use.empty() ? call.id : derived_id(facts);
  HookEvents events{*std::move(hook), std::nullopt, facts.type};
  const std::string_view session = terminal_session(call);
  if (!session.empty() && !facts.session.empty() && session != facts.session &&
      facts.session.size() <= limits::kSessionBytesMax) {
    events.link = event::make_session_linked({session, facts.session});
  }
  return events;
}

Uuid id_by_content(const event::NewEvent& hook) {
  return name_uuid(kUrlNamespace, "urn:vibes:hook-content:" + hook.payload);
}

}  // namespace vibes::hooks
