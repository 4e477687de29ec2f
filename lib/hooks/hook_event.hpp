// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "event/event.hpp"

namespace vibes::hooks {

/// One call of an agent's hook.
struct HookCall {
  /// What the agent wrote: any bytes, any size.
  std::string_view payload;
  /// The session of the terminal that the agent runs in ($VIBES_SESSION_ID); empty: none. One that
  /// is too long to be a session id counts as none.
  std::string_view session;
  /// The event_id where the payload does not yield one. Made once per call, so that the log
  /// recognises a call that is told twice: to the server, and because its answer was late to the
  /// spool. Without one the log assigns it.
  std::optional<Uuid> id;
};

struct HookEvents {
  event::NewEvent hook;
  /// Where the agent has a session id of its own: `session_linked`, the same event every time. The
  /// log must have it at least once.
  std::optional<event::NewEvent> link;
  /// The hook's name in snake case; empty for hook_unparsed.
  std::string name = {};
};

/// Makes the event `hook` of a payload (docs/protocol.md, "Hooks"), and always makes an event: what
/// is no JSON object, or not one that an event can hold, becomes `hook_unparsed` with the bytes in
/// base64. Of a payload that is too large for an event long members keep their beginning.
///
/// The events depend on the call alone and are on one line each. Their event_id is derived from the
/// agent's session, the hook and the tool_use_id where there is one, so that a hook fired twice is
/// one event; else it is the call's. Thread-safe.
HookEvents make_events(const HookCall& call);

/// Another event_id for `hook`, derived from its payload. For the log's event_id_conflict: the
/// agent used a tool_use_id for two different calls of a hook, and both shall be kept.
Uuid id_by_content(const event::NewEvent& hook);

}  // namespace vibes::hooks
