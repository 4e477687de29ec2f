// SPDX-License-Identifier: MIT
// A server of our own.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <sys/wait.h>

#include <unistd.h>

#include "contract/harness.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/iggy_server.hpp"
#include "eventlog/iggy/make_stream.hpp"
#include "eventlog/remote/remote_event_log.hpp"
#include "unit/eventlog/iggy/live_server.hpp"

namespace vibes::test {
namespace {

using namespace std::chrono_literals;
using eventlog::iggy::IggyServer;
using eventlog::remote::RemoteEventLog;

std::unique_ptr<IggyServer> running(const std::string& directory) {
  auto server = IggyServer::make(directory);
  if (!server) {
    FAIL(server.error().message());
  }
  const auto started = (*server)->start(20s);
  if (!started) {
    FAIL(started.error().message());
  }
  return *std::move(server);
}

std::unique_ptr<RemoteEventLog> open_log(const std::string& url, const std::string& state) {
  auto stream = eventlog::iggy::make_stream(url);
  if (!stream) {
    FAIL(stream.error().message());
  }
  eventlog::LogOptions options;
  options.state_directory = state;
  options.free_disk_floor_bytes = 0;
  auto opened = RemoteEventLog::open(*std::move(stream), options);
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
}

bool runs(pid_t pid) { return ::kill(pid, 0) == 0; }

}  // namespace

TEST_CASE("iggy server: a log of its own outlives restarts, as fsync", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  const TempDir state;
  const std::string url = "iggy:" + (directory.path() / "server").string();
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto log = open_log(url, state.path().string());
    CHECK(log->status().url == url);
    const auto receipt = append(*log, {numbered(i)});
    REQUIRE(receipt);
    CHECK(receipt->durability == eventlog::Durability::fsync);
    CHECK(read_all(*log).size() == i + 1);
  }
}

TEST_CASE("iggy server: a batch of any size that a log takes gets through", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  const auto log = open_log("iggy:" + (directory.path() / "server").string(), "");
  std::vector<event::NewEvent> batch;
  for (int i = 0; i < 3; ++i) {
    batch.push_back(new_event("n", {}, ",\"x\":\"" + std::string(1'000'000, 'x') + "\""));
  }
  CHECK(append(*log, std::move(batch)));
}

TEST_CASE("iggy server: it is started again when it dies", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  const auto server = running(directory.path().string());
  const pid_t before = server->pid();
  REQUIRE(before > 0);
  REQUIRE(::kill(before, SIGKILL) == 0);
  while (server->pid() == before || server->pid() < 0) {
    std::this_thread::yield();
  }
  CHECK_FALSE(runs(before));
  CHECK(runs(server->pid()));
}

TEST_CASE("iggy server: appends go on after it was killed", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  const TempDir state;
  auto own = IggyServer::make(directory.path().string());
  REQUIRE(own);
  REQUIRE((*own)->start(20s));
  eventlog::LogOptions options;
  options.free_disk_floor_bytes = 0;
  options.engine_patience = std::chrono::hours(1);
  auto log = RemoteEventLog::open(std::make_unique<eventlog::iggy::IggyStream>((*own)->options()),
                                  options);
  REQUIRE(log);
  append_numbered(**log, 0, 10);
  REQUIRE(::kill((*own)->pid(), SIGKILL) == 0);
  append_numbered(**log, 10, 20);
  CHECK(read_all(**log).size() == 20);
  REQUIRE((*log)->close());
}

TEST_CASE("iggy server: its directory is one's own, and its password a secret", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  const auto server = running(directory.path().string());
  CHECK(IggyServer::make(directory.path().string()).error().code == eventlog::Errc::locked);
  struct stat found {};
  REQUIRE(::stat((directory.path() / "credentials").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
  const pid_t pid = server->pid();
  server->stop();
  CHECK_FALSE(runs(pid));
  CHECK(IggyServer::make(directory.path().string()));
}

TEST_CASE("iggy server: it dies with a parent that is killed", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto server = IggyServer::make(directory.path().string());
    const pid_t pid = server && (*server)->start(20s) ? (*server)->pid() : -1;
    (void)!::write(pipe[1], &pid, sizeof pid);
    (void)::kill(::getpid(), SIGKILL);
  }
  pid_t pid = -1;
  REQUIRE(::read(pipe[0], &pid, sizeof pid) == static_cast<ssize_t>(sizeof pid));
  REQUIRE(pid > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  // Who adopted it may not have reaped it yet.
  const auto is_over = [pid] {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string ignored;
    std::string state;
    file >> ignored >> ignored >> state;
    return !file || state == "Z";
  };
  while (!is_over()) {
    std::this_thread::yield();
  }
  (void)::close(pipe[0]);
  (void)::close(pipe[1]);
}

TEST_CASE("iggy server: one that cannot start says why", "[iggy]") {
  if (!iggy_program()) {
    return;
  }
  const TempDir directory;
  std::ofstream(directory.path() / "iggy") << "in the way";
  CHECK_FALSE(IggyServer::make(directory.path().string()));
}

}  // namespace vibes::test
