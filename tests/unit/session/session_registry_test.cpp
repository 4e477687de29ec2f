// SPDX-License-Identifier: MIT
#include "session/session_registry.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include "session/errc.hpp"
#include "session/session_fixture.hpp"

namespace vibes::session::test {
namespace {

std::string created(const std::string& id) {
  return R"({"type":"session_created","session_id":")" + id + R"(","name":null})";
}
std::string exited(const std::string& id, int status) {
  return R"({"type":"session_state_changed","session_id":")" + id + R"(","state":"Exited()" +
         std::to_string(status) + R"lit()"})lit";
}
std::string removed(const std::string& id, const std::string& reason) {
  return R"({"type":"session_removed","session_id":")" + id + R"(","reason":")" + reason + R"("})";
}
using Events = std::vector<std::string>;

TEST_CASE("SessionRegistry: a program's life is three events in this order",
          "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "echo hi; exit 7"));
  viewer.await_end();
  CHECK(viewer.output == "hi\r\n");
  CHECK(viewer.end->exit_code == 7);
  CHECK(sessions.events(3) ==
        Events{created("s1"), exited("s1", 7), removed("s1", "session_finished")});
  // Nothing follows.
  CHECK(sessions.registry->stop());
  CHECK(sessions.log.end() == Offset(3));
}

TEST_CASE("SessionRegistry: the end by a signal is told", "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "kill -KILL $$"));
  viewer.await_end();
  CHECK(!viewer.end->exit_code);
  CHECK(viewer.end->signal == SIGKILL);
  CHECK(sessions.events(3)[1] == exited("s1", 137));
}

TEST_CASE("SessionRegistry: a killed session is removed once and gone from the list",
          "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "echo up; exec sleep 1000"));
  viewer.await_output("up");
  const pid_t pid = sessions.registry->find("s1")->pid;
  REQUIRE(sessions.kill("s1"));
  CHECK(!sessions.registry->find("s1"));
  viewer.await_end();
  CHECK(!viewer.end->exit_code);
  const auto again = sessions.kill("s1");
  REQUIRE(!again);
  CHECK(again.error().code == Errc::session_not_found);
  CHECK(sessions.registry->stop());
  CHECK(::kill(pid, 0) == -1);  // ended and reaped
  CHECK(sessions.events(2) == Events{created("s1"), removed("s1", "killed")});
  CHECK(sessions.log.end() == Offset(2));
}

TEST_CASE("SessionRegistry: who ignores the hang-up is killed after the grace",
          "[session][registry]") {
  RegistryOptions options;
  options.hang_up_grace = 50ms;
  Sessions sessions(std::move(options));
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "trap '' HUP TERM; echo up; while :; do sleep 1; done"));
  viewer.await_output("up");
  const pid_t pid = sessions.registry->find("s1")->pid;
  REQUIRE(sessions.kill("s1"));
  CHECK(sessions.registry->stop());
  // Nobody is left in the group, once init has collected the orphans.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (::kill(-pid, 0) == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(::kill(-pid, 0) == -1);
}

TEST_CASE("SessionRegistry: what asks for an unknown session appends nothing",
          "[session][registry]") {
  Sessions sessions;
  for (const Result<void>& result :
       {sessions.kill("x"), sessions.input("x", "hi"), sessions.resize("x", 80, 24)}) {
    REQUIRE(!result);
    CHECK(result.error().code == Errc::session_not_found);
  }
  CHECK(sessions.registry->stop());
  CHECK(sessions.log.end() == Offset(0));
}

TEST_CASE("SessionRegistry: two clients see the same bytes, each once, whenever they came",
          "[session][registry]") {
  Sessions sessions;
  Viewer early;
  Viewer late;
  REQUIRE(sessions.attach(early, "s1", "stty -echo; echo one; read x; echo two; read x; exit 0"));
  early.await_output("one");
  REQUIRE(sessions.attach(late, "s1"));
  CHECK(late.attachment().has_replay());
  CHECK(!early.attachment().has_replay());
  REQUIRE(sessions.input("s1", "\n"));
  early.await_output("two");
  late.pump();
  CHECK(late.output.empty());  // held back until the replay has gone out
  late.attachment().release_replay();
  late.await_output("two");
  REQUIRE(sessions.input("s1", "\n"));
  early.await_end();
  late.await_end();
  CHECK(late.replay == "one\r\n");
  CHECK(late.replay + late.output == early.output);
  CHECK(early.output == "one\r\ntwo\r\n");
}

TEST_CASE("SessionRegistry: ten megabytes arrive unchanged at a client that keeps up",
          "[session][registry]") {
  RegistryOptions options;
  options.scrollback_bytes =
      32 * limits::kMiB;  // so that a busy machine does not make the client slow
  Sessions sessions(std::move(options));
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "stty raw; seq 1 1500000 | head -c 10000000; exit 0"));
  viewer.await_end();
  CHECK(viewer.redraws == 0);
  REQUIRE(viewer.output.size() == 10'000'000);
  std::string expected;
  for (int i = 1; expected.size() < 10'000'000; ++i) {
    expected += std::to_string(i) + "\n";
  }
  expected.resize(10'000'000);
  CHECK((viewer.output == expected));
}

TEST_CASE("SessionRegistry: a client behind the ring gets a redraw and the program repaints",
          "[session][registry]") {
  RegistryOptions options;
  options.scrollback_bytes = 4 * limits::kKiB;
  Sessions sessions(std::move(options));
  Viewer slow;
  Viewer quick;
  REQUIRE(sessions.attach(
      slow, "s1",
      "stty -echo -onlcr; trap 'echo painted' WINCH; echo up; read x; seq 1 5000; echo done; "
      "while :; do sleep 0.05; done"));
  REQUIRE(sessions.attach(quick, "s1"));
  quick.attachment().release_replay();
  REQUIRE(sessions.input("s1", "\n"));  // so that nothing of it is `quick`'s replay
  quick.await_output("done\n");         // `slow` reads nothing until then
  slow.pump();
  CHECK(slow.redraws == 1);
  CHECK(
      slow.output.starts_with("\x1b"
                              "c"));
  CHECK(slow.output.find("4999\n5000\n") != std::string::npos);
  slow.await_output("painted");
  REQUIRE(sessions.kill("s1"));
}

TEST_CASE(
    "SessionRegistry: input that a program does not read is answered when there is room, or none "
    "is needed",
    "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "stty raw -echo; echo up; exec sleep 1000"));
  viewer.await_output("up");
  const std::string piece(limits::kPtyInputBytesMax, 'x');
  std::atomic<unsigned> answered = 0;
  std::promise<Result<void>> last;
  const unsigned pieces = 2 * limits::kPtyInputQueueBytesMax / limits::kPtyInputBytesMax;
  for (unsigned i = 0; i < pieces; ++i) {
    sessions.registry->input("s1", piece, [&, i](Result<void> done) {
      ++answered;
      if (i + 1 == pieces) {
        last.set_value(std::move(done));
      }
    });
  }
  CHECK(!sessions.input("s1", piece + "x"));  // too large
  REQUIRE(sessions.resize("s1", 90, 30));     // so that the session thread has seen them all
  CHECK(answered >= limits::kPtyInputQueueBytesMax / limits::kPtyInputBytesMax);
  CHECK(answered < pieces);
  REQUIRE(sessions.kill("s1"));
  auto answer = last.get_future();
  REQUIRE(answer.wait_for(kPatience) == std::future_status::ready);
  CHECK(answer.get());
  CHECK(answered == pieces);
}

TEST_CASE("SessionRegistry: input larger than the terminal's own buffer arrives whole",
          "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1", "stty raw -echo; echo up; head -c 60000 | cksum"));
  viewer.await_output("up");
  std::string bytes(60'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 7);
  }
  REQUIRE(sessions.input("s1", bytes));
  viewer.await_end();
  INFO(viewer.output);
  CHECK(viewer.output.find(" 60000") != std::string::npos);
}

TEST_CASE("SessionRegistry: explicit sizes count, missing ones do not", "[session][registry]") {
  Sessions sessions;
  Viewer first;
  SessionSpec spec;
  spec.id = "s1";
  spec.command = {"/bin/sh", "-c",
                  "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done"};
  spec.cols = 90;
  spec.rows = 30;
  REQUIRE(sessions.attach(first, spec));
  first.await_output("30 90");
  Viewer second;
  REQUIRE(sessions.attach(second, "s1"));
  CHECK(second.attachment().cols() == 90);
  CHECK(second.attachment().rows() == 30);
  spec.rows = {};
  spec.cols = 91;
  Viewer third;
  REQUIRE(sessions.attach(third, spec));
  CHECK(third.attachment().cols() == 91);
  CHECK(third.attachment().rows() == 30);
  first.await_output("30 91");
  REQUIRE(sessions.resize("s1", 70, 20));
  first.await_output("20 70");
  for (const unsigned size : {0U, limits::kPtyColsMax + 1}) {
    const auto refused = sessions.resize("s1", size, 20);
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::bad_size);
  }
  CHECK(sessions.registry->find("s1")->subscriber_count == 3);
  third.detach();
  CHECK(sessions.registry->find("s1")->subscriber_count == 2);
  REQUIRE(sessions.kill("s1"));
}

TEST_CASE("SessionRegistry: the child knows its session, and the daemon's variables stay here",
          "[session][registry]") {
  RegistryOptions options;
  options.environment = {"PATH=/usr/bin:/bin", "NOTIFY_SOCKET=/run/x", "VIBES_LISTEN=1:2",
                         "KEEP=me"};
  options.token_file = "/run/token";
  options.umask = 077;
  Sessions sessions(std::move(options));
  sessions.registry->set_url("http://127.0.0.1:1");
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s 1", "env | sort; umask; pwd"));
  viewer.await_end();
  CHECK(viewer.output ==
        "COLORTERM=truecolor\r\nKEEP=me\r\nPATH=/usr/bin:/bin\r\nPWD=/\r\nTERM=xterm-256color\r\n"
        "VIBES_SESSION_ID=s 1\r\nVIBES_TOKEN_FILE=/run/token\r\nVIBES_URL=http://127.0.0.1:1\r\n"
        "0077\r\n/\r\n");
}

TEST_CASE("SessionRegistry: a grandchild that keeps the terminal does not keep the session",
          "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(viewer, "s1",
                          "setsid sh -c 'echo grandchild $$; sleep 30' & "
                          "while ! read -t 1 x 2>/dev/null; do break; done; sleep 0.2; exit 4"));
  viewer.await_end();
  CHECK(viewer.end->exit_code == 4);
  CHECK(sessions.events(3).back() == removed("s1", "session_finished"));
  const std::size_t at = viewer.output.find("grandchild ");
  if (at != std::string::npos) {
    (void)::kill(std::stoi(viewer.output.substr(at + 11)), SIGKILL);
  }
}

TEST_CASE("SessionRegistry: a program that closes its terminal and opens it again is heard",
          "[session][registry]") {
  Sessions sessions;
  Viewer viewer;
  REQUIRE(sessions.attach(
      viewer, "s1",
      "T=$(tty); echo up; exec </dev/null >/dev/null 2>&1; sleep 0.3; echo back >$T; exit 0"));
  viewer.await_end();
  CHECK(viewer.output == "up\r\nback\r\n");
}

TEST_CASE("SessionRegistry: an exited session is listed for a while and takes no client",
          "[session][registry]") {
  RegistryOptions options;
  SECTION("while it lingers") {
    Sessions sessions;
    REQUIRE(sessions.create("s1", {"/bin/sh", "-c", "exit 2"}));
    sessions.events(3);
    CHECK(sessions.registry->find("s1")->state == "Exited(2)");
    CHECK(sessions.registry->health().running == 0);
    Viewer viewer;
    const auto attached = sessions.attach(viewer, "s1");
    REQUIRE(!attached);
    CHECK(attached.error().code == Errc::session_exited);
    CHECK(attached.error().message().find("Exited(2)") != std::string::npos);
    // Killing it takes it off the list; the log knows its end already.
    REQUIRE(sessions.kill("s1"));
    CHECK(!sessions.registry->find("s1"));
    CHECK(sessions.log.end() == Offset(3));
    REQUIRE(sessions.attach(viewer, "s1", "exit 0"));
    viewer.await_end();
    sessions.events(6);
  }
  SECTION("afterwards its id is free") {
    options.exited_linger = 1ms;
    Sessions sessions(std::move(options));
    REQUIRE(sessions.create("s1", {"/bin/sh", "-c", "exit 2"}));
    sessions.events(3);
    Viewer viewer;
    while (!sessions.attach(viewer, "s1", "exit 0")) {
      std::this_thread::yield();
    }
  }
}

TEST_CASE("SessionRegistry: what cannot start says why and appends nothing",
          "[session][registry]") {
  Sessions sessions;
  const auto refused = [&](const SessionSpec& spec) {
    const auto made = sessions.create(spec);
    REQUIRE(!made);
    return made.error().code;
  };
  SessionSpec good;
  good.id = "s1";
  good.command = {"sleep", "1000"};
  SessionSpec spec = good;
  spec.id = "";
  CHECK(refused(spec) == Errc::bad_session_id);
  spec.id = std::string(limits::kSessionBytesMax + 1, 'x');
  CHECK(refused(spec) == Errc::bad_session_id);
  spec.id = std::string("a\0b", 3);
  CHECK(refused(spec) == Errc::bad_session_id);
  spec = good;
  spec.parent = "";
  CHECK(refused(spec) == Errc::bad_session_id);
  spec = good;
  spec.name = std::string(limits::kSessionNameBytesMax + 1, 'x');
  CHECK(refused(spec) == Errc::bad_name);
  spec = good;
  spec.cols = 0;
  CHECK(refused(spec) == Errc::bad_size);
  spec = good;
  spec.cwd = "relative";
  CHECK(refused(spec) == Errc::bad_cwd);
  spec.cwd = "/nonexistent";
  CHECK(refused(spec) == Errc::bad_cwd);
  spec.cwd = "/etc/passwd";
  CHECK(refused(spec) == Errc::bad_cwd);
  spec = good;
  spec.command = {"no-such-program"};
  CHECK(refused(spec) == Errc::bad_command);
  spec.command = {"/etc/passwd"};
  CHECK(refused(spec) == Errc::bad_command);
  REQUIRE(sessions.create(good));
  CHECK(refused(good) == Errc::session_exists);
  CHECK(sessions.registry->stop());
  CHECK(sessions.events(1).front() == created("s1"));
  CHECK(sessions.log.end() == Offset(3));
}

TEST_CASE("SessionRegistry: no more sessions than the limit", "[session][registry][slow]") {
  Sessions sessions;
  for (std::size_t i = 0; i < limits::kSessionsMax; ++i) {
    REQUIRE(sessions.create("s" + std::to_string(i), {"sleep", "1000"}));
  }
  const auto refused = sessions.create("more", {"sleep", "1000"});
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::too_many_sessions);
  CHECK(sessions.registry->stop());
  CHECK(sessions.log.end() == Offset(3 * limits::kSessionsMax));
}

TEST_CASE("SessionRegistry: the stop ends every session with its events and takes no new one",
          "[session][registry]") {
  RegistryOptions options;
  options.hang_up_grace = 1000ms;
  Sessions sessions(std::move(options));
  Viewer soft;
  Viewer hard;
  REQUIRE(
      sessions.attach(soft, "soft", "trap 'exit 5' HUP; echo up; while :; do sleep 0.05; done"));
  REQUIRE(sessions.attach(hard, "hard", "trap '' HUP; echo up; while :; do sleep 1; done"));
  soft.await_output("up");
  hard.await_output("up");
  sessions.registry->client_connected("c1");
  sessions.registry->request_stop();
  const auto refused = sessions.create("late", {"true"});
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::stopping);
  sessions.registry->client_disconnected("c1");
  CHECK(sessions.registry->stop());
  const Events events = sessions.events(8);
  CHECK(events.size() == 8);
  const auto has = [&](const std::string& event) {
    return std::count(events.begin(), events.end(), event) == 1;
  };
  CHECK(has(exited("soft", 5)));
  CHECK(has(removed("soft", "killed")));
  CHECK(has(exited("hard", 137)));
  CHECK(has(removed("hard", "killed")));
  CHECK(has(R"({"type":"client_disconnected","client_id":"c1"})"));
  CHECK(sessions.registry->list().empty());
  CHECK(sessions.registry->stop());  // again
  bool told = false;
  sessions.registry->kill("soft", [&](const Result<void>& result) {
    told = !result && result.error().code == Errc::stopping;
  });
  CHECK(told);
}

TEST_CASE("SessionRegistry: events that the log refuses wait, in order, and come once",
          "[session][registry][outbox]") {
  using Mode = RefusingLog::Mode;
  const Mode mode = GENERATE(Mode::refuse, Mode::fail_later);
  Sessions sessions;
  sessions.log.set_mode(mode);
  sessions.registry->client_connected("c1");
  REQUIRE(sessions.create("s1", {"/bin/sh", "-c", "exit 0"}));
  REQUIRE(sessions.create("s2", {"sleep", "1000"}));
  REQUIRE(sessions.kill("s2"));
  sessions.log.await_refusals(3);
  CHECK(sessions.registry->health().pending_events >= 4);
  CHECK(!sessions.registry->health().problem.empty());
  sessions.log.set_mode(Mode::take);
  const Events events = sessions.events(6);
  CHECK(events.front() == R"({"type":"client_connected","client_id":"c1"})");
  const auto place = [&](const std::string& event) {
    REQUIRE(std::count(events.begin(), events.end(), event) == 1);
    return std::find(events.begin(), events.end(), event) - events.begin();
  };
  CHECK(place(created("s1")) < place(exited("s1", 0)));
  CHECK(place(exited("s1", 0)) < place(removed("s1", "session_finished")));
  CHECK(place(created("s2")) < place(removed("s2", "killed")));
  CHECK(sessions.registry->stop());
  CHECK(sessions.registry->health().pending_events == 0);
  CHECK(sessions.registry->health().problem.empty());
  CHECK(sessions.log.end() == Offset(6));
}

TEST_CASE("SessionRegistry: a session does not wait for an engine that is away",
          "[session][registry][outbox]") {
  Sessions sessions;
  sessions.log.set_mode(RefusingLog::Mode::keep);
  REQUIRE(sessions.create("s1", {"sleep", "1000"}));
  REQUIRE(sessions.kill("s1"));
  CHECK(sessions.log.end() == Offset(0));
  CHECK(sessions.registry->health().problem.empty());
  CHECK(sessions.registry->stop());
  sessions.log.come_back();
  const Events events = sessions.events(2);
  CHECK(events[0] == created("s1"));
  CHECK(events[1] == removed("s1", "killed"));
}

TEST_CASE("SessionRegistry: while the log refuses, what waits is bounded and the rest is counted",
          "[session][registry][outbox]") {
  Sessions sessions;
  sessions.log.set_mode(RefusingLog::Mode::refuse);
  for (std::size_t i = 0; i < limits::kSessionEventsPendingMax; ++i) {
    sessions.registry->client_connected("c");
  }
  const RegistryHealth full = sessions.registry->health();
  CHECK(full.lost_events > 0);
  CHECK(full.lost_events + full.pending_events == limits::kSessionEventsPendingMax);
  // Sessions may still start until only the places for their ends are left.
  std::size_t started = 0;
  Result<SessionInfo> made = sessions.create("s0", {"true"});
  while (made) {
    ++started;
    made = sessions.create("s" + std::to_string(started), {"true"});
  }
  CHECK(
      (made.error().code == Errc::log_unavailable || made.error().code == Errc::too_many_sessions));
  CHECK(sessions.registry->health().pending_events <= limits::kSessionEventsPendingMax);
  sessions.log.set_mode(RefusingLog::Mode::take);
  CHECK(sessions.registry->stop());
  CHECK(sessions.log.end() == Offset(full.pending_events + 3 * started));
}

TEST_CASE("SessionRegistry: a stop that cannot append says so and does not hang",
          "[session][registry][outbox]") {
  Sessions sessions;
  sessions.log.set_mode(RefusingLog::Mode::refuse);
  REQUIRE(sessions.create("s1", {"sleep", "1000"}));
  CHECK(!sessions.registry->stop(1ms));
  CHECK(sessions.registry->health().pending_events == 3);
}

TEST_CASE("SessionRegistry: an attachment may outlive the registry", "[session][registry]") {
  Viewer viewer;
  {
    Sessions sessions;
    REQUIRE(sessions.attach(viewer, "s1", "echo hi"));
    viewer.await_output("hi");
  }
  viewer.await_end();
  CHECK(viewer.output == "hi\r\n");
}

}  // namespace
}  // namespace vibes::session::test
