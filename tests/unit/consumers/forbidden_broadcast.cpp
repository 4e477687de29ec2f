// SPDX-License-Identifier: MIT
#include "consumers/broadcaster.hpp"

// Compiled twice by forbidden_broadcast.cmake: as it is, which must work, and with VIBES_FORBIDDEN,
// which the compiler must refuse: events reach clients through the log and the websocket consumer
// only.
void use(vibes::consumers::Broadcaster& broadcaster, const vibes::event::EventView& event) {
  static_cast<void>(broadcaster.ring_end());
  static_cast<void>(event);
#if VIBES_FORBIDDEN == 1
  broadcaster.broadcast_event(vibes::consumers::BroadcastPasskey(), event);
#elif VIBES_FORBIDDEN == 2
  broadcaster.broadcast_event({}, event);
#elif VIBES_FORBIDDEN == 3
  broadcaster.restart_at({}, event.offset);
#endif
}
