// SPDX-License-Identifier: MIT
#pragma once

#include "verify/stage.hpp"

namespace vibes::verify {

/// Cuts 20 bytes off what is written in the newest segment of the stage's own file log, twice, and
/// looks at what the next start makes of it. Its server runs before and after.
///
/// After a clean stop the log vouches for every byte: the start must be refused, with the file's
/// name, and go well once the bytes are back. After a kill -9 nothing may vouch for the last batch
/// yet, and then it cannot be told from a torn write: either the start is refused, or it ends the
/// log right before that batch, keeps what it cut off and says so.
CheckOutcome check_torn_tail(Stage& stage, client::Deadline deadline);

}  // namespace vibes::verify
