// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "client/producer.hpp"
#include "client/spool.hpp"

namespace vibes::ctl {

/// A hook that is in the log and may give its agent something.
struct AskingHook {
  std::string name;  // in snake case, one of hooks::carries_context()
  std::string session;
  Uuid event_id;
};

/// Asks the server what waits for the hook's session, says it on standard output, and then records
/// that it was said: in the log or, where that fails, in the spool. After `deadline` nothing is
/// asked and nothing said. What was not said is not recorded, so that a later hook gets it. Errors:
/// it was said and could not be recorded.
Result<void> answer_agent(client::Producer& producer, client::Spool* spool, const AskingHook& hook,
                          client::Deadline deadline);

}  // namespace vibes::ctl
