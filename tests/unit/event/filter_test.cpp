// SPDX-License-Identifier: MIT
#include "event/filter.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/limits.hpp"
#include "event/errc.hpp"
#include "event/session_slot.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;

namespace {

Filter filter(std::string_view types, std::optional<std::string> session = std::nullopt) {
  auto made = Filter::parse(types, std::move(session));
  REQUIRE(made);
  return *std::move(made);
}

}  // namespace

TEST_CASE("filter: nothing asked for matches everything", "[event]") {
  for (const Filter& all : {Filter(), filter(""), filter(" , ,"), filter("", "")}) {
    CHECK(all.matches_everything());
    CHECK(all.matches("claude", "s"));
    CHECK(all.matches("mine", ""));
  }
}

TEST_CASE("filter: slots keep their sessions and no others, and a session's slot never changes",
          "[event]") {
  CHECK(session_slot("") == 1);
  CHECK(session_slot("session-1") == 16);
  CHECK(session_slot("session-1") != session_slot("session-2"));
  Filter some;
  some.keep_slots(std::uint64_t{1} << session_slot("s"));
  CHECK_FALSE(some.matches_everything());
  CHECK(some.matches("note", "s"));
  CHECK_FALSE(some.matches("note", "session-1"));
  std::array<int, limits::kGroupSlots> sessions{};
  for (int n = 0; n < 6'400; ++n) {
    ++sessions.at(session_slot("session-" + std::to_string(n)));
  }
  CHECK(std::ranges::all_of(sessions, [](int count) { return count > 50 && count < 150; }));
}

TEST_CASE("filter: a category takes all of its types and no other", "[event]") {
  const Filter session = filter("session");
  CHECK(session.matches("session_created", ""));
  CHECK(session.matches("tunnel_state_changed", ""));
  CHECK(session.matches("client_connected", ""));
  CHECK_FALSE(session.matches("hook", ""));
  CHECK_FALSE(session.matches("mine", ""));
  CHECK(filter("claude").matches("user_input", ""));
  CHECK(filter("claude").matches("permission_response", ""));
  CHECK(filter("hook").matches("hook", ""));
  CHECK(filter("assessment").matches("intervention", ""));
  CHECK(filter("custom").matches("mine", ""));
  CHECK_FALSE(filter("custom").matches("claude", ""));
}

TEST_CASE("filter: types are taken exactly, in either case, trimmed", "[event]") {
  const Filter some = filter(" USER_input ,Mine");
  CHECK(some.matches("user_input", ""));
  CHECK(some.matches("mine", ""));
  CHECK(some.matches("MINE", ""));
  CHECK_FALSE(some.matches("mine2", ""));
  CHECK_FALSE(some.matches("claude", ""));
  CHECK(filter("HOOK").matches("hook", ""));
}

TEST_CASE("filter: categories and types together are either", "[event]") {
  const Filter either = filter("hook,session_created");
  CHECK(either.matches("hook", ""));
  CHECK(either.matches("session_created", ""));
  CHECK_FALSE(either.matches("session_removed", ""));
}

TEST_CASE("filter: a session is taken exactly, and beside the types", "[event]") {
  const Filter one = filter("", "s1");
  CHECK(one.matches("mine", "s1"));
  CHECK_FALSE(one.matches("mine", "S1"));
  CHECK_FALSE(one.matches("mine", ""));
  CHECK_FALSE(one.matches_everything());
  CHECK_FALSE(filter("hook", "s1").matches("claude", "s1"));
  CHECK(filter("hook", "s1").matches("hook", "s1"));
}

TEST_CASE("filter: what cannot be one is refused", "[event]") {
  const std::string long_type(limits::kTypeBytesMax + 1, 't');
  CHECK(Filter::parse(long_type, std::nullopt).error().code == Errc::bad_filter);
  const std::string long_session(limits::kSessionBytesMax + 1, 's');
  CHECK(Filter::parse("", long_session).error().code == Errc::bad_filter);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < limits::kFilterTypesMax; ++i) {
    names.push_back("t" + std::to_string(i));
  }
  CHECK(Filter::make(names, std::nullopt));
  names.emplace_back("one more");
  CHECK(Filter::make(names, std::nullopt).error().code == Errc::bad_filter);
}
