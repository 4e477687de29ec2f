// SPDX-License-Identifier: MIT
#include <fstream>
#include <latch>
#include <sys/wait.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "consumers/group_runner.hpp"
#include "support/temp_dir.hpp"
#include "unit/consumers/fixture.hpp"

using namespace vibes;
using namespace vibes::consumers;

namespace {

constexpr std::uint64_t kEvents = 60;
constexpr std::uint64_t kCommitEvery = 10;

/// Notes each event in a file and dies in the middle of number `die_at` of its life.
class NotingHandler final : public Handler {
 public:
  NotingHandler(int fd, std::uint64_t die_at, std::latch& all)
      : fd_(fd), die_at_(die_at), all_(all) {}
  Outcome handle(const event::EventView& event, std::uint64_t /*attempt*/) override {
    const std::uint64_t offset = event.offset.value();
    if (::write(fd_, &offset, sizeof offset) != sizeof offset || ++handled_ == die_at_) {
      ::_exit(9);
    }
    if (offset == kEvents - 1) {
      all_.count_down();
    }
    return Outcome::ok();
  }

 private:
  int fd_;
  std::uint64_t die_at_;
  std::uint64_t handled_ = 0;
  std::latch& all_;
};

std::unique_ptr<eventlog::EventLog> open_log(const std::string& dir) {
  auto opened = eventlog::open_log("file:" + dir + "/log", {});
  VIBES_ASSERT(opened);
  return *std::move(opened);
}

/// Handles until the end or until it dies. Runs in a process of its own.
void live(const std::string& dir, const std::string& group, std::uint64_t die_at) {
  const UniqueFd notes(
      ::open((dir + "/notes").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const auto log = open_log(dir);
  GroupRegistry::Options options;
  options.dead_letters_directory = dir + "/letters";
  const auto opened = GroupRegistry::open(*log, options);
  VIBES_ASSERT(opened);
  std::latch all(1);
  const GroupRunner runner(
      *log, **opened,
      [&](Offset) { return std::make_unique<NotingHandler>(notes.get(), die_at, all); },
      {.group = group, .commit_every_events = kCommitEvery});
  all.wait();
}

/// The exit status of one life.
int live_in_child(const std::string& dir, const std::string& group, std::uint64_t die_at) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    live(dir, group, die_at);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

std::vector<std::uint64_t> take_notes(const std::string& dir) {
  std::ifstream in(dir + "/notes", std::ios::binary);
  std::vector<std::uint64_t> notes;
  for (std::uint64_t offset = 0; in.read(reinterpret_cast<char*>(&offset), sizeof offset);) {
    notes.push_back(offset);
  }
  std::filesystem::remove(dir + "/notes");
  return notes;
}

void check_dense(const std::vector<std::uint64_t>& notes, std::uint64_t from, std::uint64_t to) {
  REQUIRE(notes.size() == to - from);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    CHECK(notes[i] == from + i);
  }
}

}  // namespace

TEST_CASE(
    "GroupRunner: killed between handling and commit, it redelivers from the last commit and "
    "skips nothing",
    "[consumers]") {
  const test::TempDir temp;
  const std::string dir = temp.path().string();
  test::append_numbered(*open_log(dir), kEvents);
  for (const std::uint64_t k : {1U, 2U, 9U, 10U, 11U, 12U, 19U, 20U, 21U, 35U, 50U, 59U, 60U}) {
    CAPTURE(k);
    const std::string group = "g" + std::to_string(k);
    REQUIRE(live_in_child(dir, group, k) == 9);
    check_dense(take_notes(dir), 0, k);
    const auto committed = open_log(dir)->group_offsets().committed(group);
    const std::uint64_t from = committed.value_or(Offset{}).value();
    // Event k was in hand, so that k-1 were done; the clock may have added a commit.
    CHECK(from <= k - 1);
    CHECK(from >= (k - 1) / kCommitEvery * kCommitEvery);

    REQUIRE(live_in_child(dir, group, 0) == 0);
    check_dense(take_notes(dir), from, kEvents);
    CHECK(open_log(dir)->group_offsets().committed(group) == Offset(kEvents));
  }
}
