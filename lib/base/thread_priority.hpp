// SPDX-License-Identifier: MIT
#pragma once

namespace vibes {

/// How much nicer than its process a thread is that step_back() has made so (nice(2)).
inline constexpr int kNicenessOfStepBack = 5;

/// The calling thread, and those that it starts from now on, come after the others of the process
/// where there are not enough cores for all. To be called once, at a thread's start; where the
/// system refuses or knows no such thing, everything stays as it is. Never starves the thread, so
/// that it may hold a lock that others want, for a while.
void step_back();

}  // namespace vibes
