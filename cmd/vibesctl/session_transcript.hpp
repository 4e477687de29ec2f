// SPDX-License-Identifier: MIT
#pragma once

#include "verb.hpp"
#include "verb_family.hpp"

namespace vibes::ctl {

/// Adds `show` and `export`: what happened in a session that the log knows, live or not.
void add_transcript_verbs(VerbFamily& family, Session& session);

}  // namespace vibes::ctl
