// SPDX-License-Identifier: MIT
#include "base/thread_priority.hpp"

#ifdef __linux__
#include <sys/resource.h>

#include <unistd.h>
#endif

namespace vibes {

void step_back() {
#ifdef __linux__
  // To Linux a thread's number is a process of its own here.
  const auto thread = static_cast<id_t>(::gettid());
  const int niceness = ::getpriority(PRIO_PROCESS, thread);
  (void)::setpriority(PRIO_PROCESS, thread, niceness + kNicenessOfStepBack);
#endif
}

}  // namespace vibes
