// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/offset.hpp"
#include "consumers/sessions/assessed_index.hpp"
#include "consumers/sessions/session_record.hpp"

namespace vibes::consumers {

/// Some of the assessed sessions, as of a moment.
struct AssessedPage {
  std::vector<AssessedSession> sessions;  // those with the newest results first
  std::optional<Offset> before;           // where the next page begins; nothing: this is the last
  Offset next;                            // everything in the log before it is in here
};

/// {"sessions":[…],"before":N|null,"next":N}
std::string assessed_page_json(const AssessedPage& page);
/// {"session":…,"curve":[…],"curve_step":N,"checkpoints":[…],"interventions":[…],"verdict":…|null,
/// "next":N}. `record` has an assessment.
std::string assessment_json(const SessionRecord& record, Offset next);

}  // namespace vibes::consumers
