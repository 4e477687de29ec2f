// SPDX-License-Identifier: MIT
#include "consumers/save_pace.hpp"

#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMany = limits::kCommitEveryEvents;
constexpr SavePace::Time kStart{1h};

}  // namespace

TEST_CASE("SavePace: who keeps up saves each time, with the least pause between", "[save_pace]") {
  SavePace pace(500ms);
  REQUIRE(pace.is_due(Offset(10), kStart));
  pace.saved(kStart, kStart + 2s);
  CHECK_FALSE(pace.is_due(Offset(11), kStart + 2'499ms));
  CHECK(pace.is_due(Offset(12), kStart + 2'500ms));
  CHECK(pace.is_due(Offset(11 + kMany), kStart + 2'500ms));
}

TEST_CASE("SavePace: who is behind saves a tenth of the time, and not too seldom", "[save_pace]") {
  SavePace pace(0ms);
  REQUIRE(pace.is_due(Offset(0), kStart));
  pace.saved(kStart, kStart + 1s);
  CHECK_FALSE(pace.is_due(Offset(kMany), kStart + 9'999ms));
  CHECK(pace.is_due(Offset(2 * kMany), kStart + 10s));
  pace.saved(kStart, kStart + 1h);
  CHECK_FALSE(pace.is_due(Offset(3 * kMany), kStart + 1h + 29s));
  CHECK(pace.is_due(Offset(4 * kMany), kStart + 1h + SavePace::kPauseMax));
}

TEST_CASE("SavePace: what has caught up is saved without waiting", "[save_pace]") {
  SavePace pace(0ms);
  REQUIRE(pace.is_due(Offset(0), kStart));
  pace.saved(kStart, kStart + 1s);
  REQUIRE_FALSE(pace.is_due(Offset(kMany), kStart + 2s));
  CHECK(pace.is_due(Offset(kMany + 1), kStart + 3s));
}
