// SPDX-License-Identifier: MIT
#include "consumers/assessment/milestone.hpp"

#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

TEST_CASE("milestone: passes of the usual runners", "[assessment]") {
  for (const auto* output :
       {"===== 14 passed in 0.31s =====", "test result: ok. 6 passed; 0 failed; 0 ignored",
        "ok  \texample.org/tiles/internal/cache\t1.2s", " Tests  9 passed (9)",
        "100% tests passed, 0 tests failed out of 12", "BUILD SUCCESSFUL in 3s"}) {
    INFO(output);
    CHECK(find_milestone("Bash", output) == Milestone::passed);
  }
}

TEST_CASE("milestone: failures outweigh passes", "[assessment]") {
  for (const auto* output :
       {"1 failed, 13 passed in 0.3s", "test result: FAILED. 5 passed; 1 failed",
        "error[E0425]: cannot find value", "FAIL\texample.org/tiles [build failed]",
        "make: *** [all] Error 2", " FAIL  src/socket.test.ts > Socket",
        "ok  \ta\t1s\n--- FAIL: B"}) {
    INFO(output);
    CHECK(find_milestone("Bash", output) == Milestone::failed);
  }
}

TEST_CASE("milestone: a commit is what git prints of one", "[assessment]") {
  CHECK(find_milestone("Bash", "[main 5be20c7] cart: round\n 2 files changed") ==
        Milestone::commit);
  CHECK(find_milestone("Bash", "[main (root-commit) 5be20c7] first") == Milestone::commit);
  CHECK(find_milestone("Bash", "[100%] Built target vibes") == Milestone::none);
  CHECK(find_milestone("Bash", "[main] 5be20c7") == Milestone::none);
  CHECK(find_milestone("", "[") == Milestone::none);
}

TEST_CASE("milestone: a file that is shown may hold any text", "[assessment]") {
  CHECK(find_milestone("Read", "14 passed") == Milestone::none);
  CHECK(find_milestone("Bash", "0 passed") == Milestone::none);
  CHECK(find_milestone("Bash", "") == Milestone::none);
}

}  // namespace
}  // namespace vibes::consumers::assessment
