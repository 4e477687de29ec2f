// SPDX-License-Identifier: MIT
#include "consumers/session_links.hpp"

#include "base/limits.hpp"
#include "event/session_link.hpp"
#include "support/catch.hpp"
#include "support/test_log.hpp"

namespace vibes::consumers {
namespace {

using event::Reach;
using event::SessionRelation;
using Sessions = SessionLinks::Sessions;

struct Linked {
  test::TestLog events;
  SessionLinks links{events.log()};

  void link(std::string_view session, std::string_view linked,
            SessionRelation relation = SessionRelation::agent) {
    events.append(std::vector{event::make_session_linked({session, linked, relation})});
  }
  event::Filter filter(const char* session, Reach reach = Reach::session) {
    auto made = *event::Filter::make({}, session);
    links.widen(made, reach);
    return made;
  }
};

TEST_CASE("SessionLinks: an agent's session and its terminal's are one, from either side",
          "[consumers]") {
  Linked log;
  CHECK(log.links.related("pty", Reach::session) == Sessions{"pty"});
  log.link("pty", "a");
  log.link("pty", "b");
  log.link("other", "c");
  for (const char* id : {"pty", "a", "b"}) {
    CHECK(log.links.related(id, Reach::session) == Sessions{"a", "b", "pty"});
  }
  CHECK(log.links.related("c", Reach::session) == Sessions{"c", "other"});
}

TEST_CASE("SessionLinks: a tree holds what was started in it, and not what it was started in",
          "[consumers]") {
  Linked log;
  log.link("pty", "agent");
  log.link("agent", "child", SessionRelation::subagent);
  log.link("child", "child's agent");
  log.link("child's agent", "grandchild", SessionRelation::subagent);
  CHECK(log.links.related("pty", Reach::session) == Sessions{"agent", "pty"});
  CHECK(log.links.related("pty", Reach::tree) ==
        Sessions{"agent", "child", "child's agent", "grandchild", "pty"});
  CHECK(log.links.related("child", Reach::tree) ==
        Sessions{"child", "child's agent", "grandchild"});
  log.link("grandchild", "pty",
           SessionRelation::subagent);  // whoever says so: it ends all the same
  CHECK(log.links.related("child", Reach::tree).size() == 5);
}

TEST_CASE("SessionLinks: a widened filter knows a link as soon as the log has it", "[consumers]") {
  Linked log;
  const event::Filter by_agent = log.filter("a");
  const event::Filter by_terminal = log.filter("pty");
  CHECK(by_agent.matches("hook", "a"));
  CHECK_FALSE(by_agent.matches("hook", "pty"));
  log.link("pty", "a");
  CHECK(by_agent.matches("hook", "pty"));
  CHECK(by_terminal.matches("hook", "a"));
  CHECK_FALSE(by_agent.matches("hook", ""));
  CHECK_FALSE(by_agent.matches("hook", "b"));
  log.link("pty", "child", SessionRelation::subagent);
  CHECK_FALSE(by_agent.matches("hook", "child"));
  CHECK(log.filter("a", Reach::tree).matches("hook", "child"));
}

TEST_CASE("SessionLinks: a filter without a session stays as it is", "[consumers]") {
  Linked log;
  event::Filter everything;
  log.links.widen(everything, Reach::tree);
  CHECK(everything.matches_everything());
  CHECK(everything.matches("note", ""));
}

TEST_CASE("SessionLinks: what is no link is passed over", "[consumers]") {
  Linked log;
  const std::string long_id(limits::kSessionBytesMax + 1, 'x');
  log.events.append(R"({"type":"session_linked","session_id":"pty","linked_session_id":""})");
  log.events.append(R"({"type":"session_linked","session_id":"","linked_session_id":"a"})");
  log.events.append(R"({"type":"session_linked","session_id":"pty","linked_session_id":")" +
                    long_id + "\"}");
  CHECK(log.links.related("pty", Reach::tree) == Sessions{"pty"});
  log.events.append(R"({"type":"session_linked","session_id":"pty","linked_session_id":"a"})");
  CHECK(log.links.related("pty", Reach::session) == Sessions{"a", "pty"});
}

}  // namespace
}  // namespace vibes::consumers
