// SPDX-License-Identifier: MIT
#include "base/thread_priority.hpp"

#include <sys/resource.h>
#include <thread>

#include <unistd.h>

#include "support/catch.hpp"

namespace {

int niceness() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

}  // namespace

TEST_CASE("step_back: the thread and those it starts become nicer, no other", "[base]") {
  const int before = niceness();
  if (before + vibes::kNicenessOfStepBack > 19) {
    return;  // there is nothing nicer
  }
  int own = 0;
  int started_by_it = 0;
  std::thread([&] {
    vibes::step_back();
    own = niceness();
    std::thread([&] { started_by_it = niceness(); }).join();
  }).join();
  CHECK(own == before + vibes::kNicenessOfStepBack);
  CHECK(started_by_it == own);
  CHECK(niceness() == before);
}
