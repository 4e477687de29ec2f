// SPDX-License-Identifier: MIT
#include "contract/harness.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using namespace vibes::test;

TEST_CASE("EventLog contract: a group commits forth and back, never past the end",
          "[eventlog][contract]") {
  Engine engine(any_engine());
  append_numbered(engine.log(), 0, 10);
  GroupOffsets& groups = engine.log().group_offsets();
  CHECK_FALSE(groups.committed("g"));
  CHECK(groups.all().empty());
  for (const std::uint64_t next : {0UL, 4UL, 10UL, 3UL}) {
    REQUIRE(groups.commit("g", Offset(next)));
    CHECK(groups.committed("g") == Offset(next));
  }
  const auto past = groups.commit("g", Offset(11));
  REQUIRE_FALSE(past);
  CHECK(past.error().code == Errc::bad_commit);
  CHECK(groups.commit("new", Offset(11)).error().code == Errc::bad_commit);
  CHECK(groups.all() == std::map<std::string, Offset, std::less<>>{{"g", Offset(3)}});
}

TEST_CASE("EventLog contract: a group's name is checked", "[eventlog][contract]") {
  Engine engine(any_engine());
  GroupOffsets& groups = engine.log().group_offsets();
  for (const std::string& name :
       {std::string("a"), std::string("0.9_x-y"), std::string("..."), std::string(128, 'n')}) {
    CAPTURE(name);
    CHECK(groups.commit(name, Offset(0)));
    CHECK(groups.committed(name) == Offset(0));
  }
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../x"), std::string("a/b"),
        std::string("A"), std::string("a b"), std::string("a\n"), std::string("a\0b", 3),
        std::string("\xc3\xa9"), std::string(129, 'n')}) {
    CAPTURE(name);
    const auto refused = groups.commit(name, Offset(0));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::bad_group_name);
  }
}

TEST_CASE("EventLog contract: a group that is removed is forgotten", "[eventlog][contract]") {
  Engine engine(any_engine());
  GroupOffsets& groups = engine.log().group_offsets();
  REQUIRE(groups.commit("g", Offset(0)));
  REQUIRE(groups.commit("h", Offset(0)));
  REQUIRE(groups.remove("g"));
  CHECK_FALSE(groups.committed("g"));
  CHECK(groups.all().size() == 1);
  const auto again = groups.remove("g");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::not_found);
}

TEST_CASE("EventLog contract: 1,000 groups are kept, one more is not", "[eventlog][contract]") {
  Engine engine(any_engine());
  GroupOffsets& groups = engine.log().group_offsets();
  for (std::size_t i = 0; i < limits::kGroupsMax; ++i) {
    REQUIRE(groups.commit("g" + std::to_string(i), Offset(0)));
  }
  CHECK(groups.commit("more", Offset(0)).error().code == Errc::too_many_groups);
  CHECK(groups.commit("g7", Offset(0)));
}

TEST_CASE("EventLog contract: commits survive a restart", "[eventlog][contract]") {
  Engine engine(any_lasting_engine());
  append_numbered(engine.log(), 0, 10);
  REQUIRE(engine.log().group_offsets().commit("a", Offset(7)));
  REQUIRE(engine.log().group_offsets().commit("a", Offset(3)));
  REQUIRE(engine.log().group_offsets().commit("b", Offset(10)));
  REQUIRE(engine.log().group_offsets().commit("c", Offset(1)));
  REQUIRE(engine.log().group_offsets().remove("c"));
  engine.restart();
  CHECK(engine.log().group_offsets().all() ==
        std::map<std::string, Offset, std::less<>>{{"a", Offset(3)}, {"b", Offset(10)}});
}
