// SPDX-License-Identifier: MIT
// Every call fails once: run k makes the k-th call of its kind fail, for k = 1, 2, … until a run
// gets through unharmed. Then the process or the machine stops, and the log must hold what it
// acknowledged.
#include <cerrno>
#include <iostream>

#include "eventlog/errc.hpp"
#include "eventlog/file/durable_slots.hpp"
#include "eventlog/file/layout.hpp"
#include "sim_log.hpp"

using namespace vibes;
using namespace vibes::test;
using Call = io::SimDisk::Call;

namespace {

constexpr std::size_t kSegmentBytes = 6 * limits::kKiB;

/// Appends over several segments with commits and a clean restart; stops at the first error that is
/// not mere want of space. Events that were refused for good are taken out of the attempts.
void work(SimLog& sim) {
  if (!sim.open()) {
    return;
  }
  for (int i = 0; i < 14; ++i) {
    const std::size_t before = sim.attempts().events.size();
    const auto receipt = sim.append({300, 120});
    if (!receipt) {
      const auto code = receipt.error().code;
      if (code == eventlog::Errc::storage_full) {
        sim.attempts().events.resize(before);  // definitely not written
        continue;
      }
      REQUIRE((code == eventlog::Errc::indeterminate || code == eventlog::Errc::failed));
      return;
    }
    if (i % 4 == 3) {
      (void)sim.commit(sim.attempts().acked);
    }
    if (i == 9 && (!sim.close() || !sim.open())) {
      return;
    }
  }
  (void)sim.close();
}

void require_whole(SimLog& sim, const std::string& where) {
  const auto opened = sim.open();
  if (!opened) {
    FAIL(where << ": " << opened.error().message());
  }
  std::size_t count = 0;
  const std::string wrong = check_log(sim.log(), sim.attempts(), count);
  if (!wrong.empty()) {
    FAIL(where << ": " << wrong);
  }
  sim.attempts().events.resize(count);
  sim.attempts().acked = count;
  sim.attempts().commit_acked = sim.attempts().commit_attempted =
      sim.log().group_offsets().committed("g").value_or(Offset{}).value();
}

struct Loop {
  const char* name;
  unsigned calls;
  int error;
  bool from_then_on;
};

/// Returns how many calls were made to fail.
std::uint64_t fail_each(const Loop& loop) {
  for (std::uint64_t k = 1;; ++k) {
    for (const bool machine_stops : {false, true}) {
      SimLog sim(kSegmentBytes);
      sim.disk().inject({loop.calls, k, loop.error, loop.from_then_on});
      work(sim);
      const bool struck = sim.disk().struck();
      const auto where = std::string(loop.name) + " " + std::to_string(k);
      const auto nothing = [](std::size_t /*thing*/) { return false; };
      machine_stops ? sim.crash(nothing) : sim.kill();
      require_whole(sim, where);
      // What the page cache showed may be gone for good only now.
      REQUIRE(sim.append({100}));
      REQUIRE(sim.append({900, 900, 900}));
      sim.crash(nothing);
      require_whole(sim, where + ", after one more power loss");
      if (!struck) {
        return k - 1;
      }
    }
  }
}

}  // namespace

TEST_CASE("faults: a failing call loses nothing that was acknowledged", "[sim][faults]") {
  const auto of = [](auto... calls) { return (static_cast<unsigned>(calls) | ...); };
  const auto loop = GENERATE_COPY(
      Loop{"sync EIO", of(Call::sync), EIO, false},
      Loop{"sync ENOSPC", of(Call::sync), ENOSPC, false},
      Loop{"sync EIO from then on", of(Call::sync, Call::sync_directory), EIO, true},
      Loop{"directory sync EIO", of(Call::sync_directory), EIO, false},
      Loop{"write EIO", of(Call::write), EIO, false},
      Loop{"write ENOSPC", of(Call::write), ENOSPC, false},
      Loop{"write EFBIG from then on", of(Call::write), EFBIG, true},
      Loop{"write and allocate ENOSPC from then on", of(Call::write, Call::allocate), ENOSPC, true},
      Loop{"allocate EDQUOT", of(Call::allocate), EDQUOT, false},
      Loop{"truncate EIO", of(Call::truncate), EIO, false},
      Loop{"open EMFILE", of(Call::open), EMFILE, false},
      Loop{"rename EIO", of(Call::rename), EIO, false},
      Loop{"rename ENOSPC", of(Call::rename), ENOSPC, false},
      Loop{"read EIO", of(Call::read), EIO, false}, Loop{"list EIO", of(Call::list), EIO, false},
      Loop{"any EIO", 0xffffU, EIO, false});
  const std::uint64_t calls = fail_each(loop);
  std::cout << "faults: " << loop.name << ": each of " << calls << " calls\n";
  CHECK(calls > 0);
}

TEST_CASE("faults: no ack and no further sync after a failed sync", "[sim][faults]") {
  for (std::uint64_t k = 1; k < 8; ++k) {
    SimLog sim(kSegmentBytes);
    Error fatal;
    sim.options().on_fatal = [&](const Error& error) { fatal = error; };
    REQUIRE(sim.open());
    REQUIRE(sim.append({100}));
    sim.disk().inject({static_cast<unsigned>(Call::sync), k, EIO, false});
    std::optional<Error> error;
    while (!error) {
      const auto receipt = sim.append({700});
      if (!receipt) {
        error = receipt.error();
      }
    }
    CHECK(error->code == eventlog::Errc::indeterminate);
    const std::uint64_t syncs = sim.disk().syncs();
    CHECK(sim.log().status().state == eventlog::LogStatus::State::failed);
    CHECK(sim.append({10}).error().code == eventlog::Errc::failed);
    CHECK_FALSE(sim.close());
    CHECK(sim.disk().syncs() == syncs);
    CHECK(fatal.code == eventlog::Errc::failed);
  }
}

TEST_CASE("faults: a full disk refuses, keeps serving, and takes appends again without a restart",
          "[sim][faults]") {
  SimLog sim(kSegmentBytes);
  REQUIRE(sim.open());
  REQUIRE(sim.append({100, 200}));
  sim.disk().inject({static_cast<unsigned>(Call::write), 1, ENOSPC, true});
  CHECK(sim.append_as({event::NewEvent{"{}", "note", "", std::nullopt}}).error().code ==
        eventlog::Errc::storage_full);
  CHECK(sim.log().status().state == eventlog::LogStatus::State::full);
  CHECK(sim.append_as({event::NewEvent{"{}", "note", "", std::nullopt}}).error().code ==
        eventlog::Errc::storage_full);
  std::size_t count = 0;
  CHECK(check_log(sim.log(), sim.attempts(), count).empty());
  sim.disk().heal();
  while (sim.log().status().state == eventlog::LogStatus::State::full) {
    (void)sim.log().signal().wait_beyond(Offset(2), {}, std::chrono::milliseconds(20));
  }
  REQUIRE(sim.append({100}));
  REQUIRE(sim.close());
  REQUIRE(sim.open());
  CHECK(check_log(sim.log(), sim.attempts(), count).empty());
  CHECK(count == 3);
}

TEST_CASE("faults: below the floor of free space appends are refused", "[sim][faults]") {
  SimLog sim(kSegmentBytes);
  sim.options().free_disk_floor_bytes = 1'000'000;
  sim.disk().set_free_bytes(999'999);
  REQUIRE(sim.open());
  while (sim.log().status().state != eventlog::LogStatus::State::full) {
    (void)sim.log().signal().wait_beyond(Offset(0), {}, std::chrono::milliseconds(5));
  }
  CHECK(sim.append({10}).error().code == eventlog::Errc::storage_full);
  sim.attempts().events.clear();
  sim.disk().set_free_bytes(1'000'000);
  while (sim.log().status().state == eventlog::LogStatus::State::full) {
    (void)sim.log().signal().wait_beyond(Offset(0), {}, std::chrono::milliseconds(20));
  }
  REQUIRE(sim.append({10}));
}

TEST_CASE("faults: a range that cannot be read is an error to its reader, never a skip",
          "[sim][faults]") {
  SimLog sim(kSegmentBytes);
  REQUIRE(sim.open());
  while (sim.log().status().segments < 4) {
    REQUIRE(sim.append({400}));
  }
  REQUIRE(sim.close());
  REQUIRE(sim.open());  // nothing is in the tail in memory now
  std::uint64_t k = 1;
  for (bool struck = true; struck; ++k) {
    sim.disk().inject({static_cast<unsigned>(Call::read), k, EIO, false});
    auto reader = sim.log().reader(eventlog::Beginning{});
    REQUIRE(reader);
    std::uint64_t next = 0;
    int errors = 0;
    while (next < sim.log().end().value()) {
      auto batch = (*reader)->read({});
      if (!batch) {
        CHECK((*reader)->position() == Offset(next));
        ++errors;
        continue;  // the disk answers again
      }
      REQUIRE_FALSE(batch->events.empty());
      for (const auto& event : batch->events) {
        REQUIRE(event.offset == Offset(next++));
      }
    }
    struck = sim.disk().struck();
    CHECK(errors <= 1);
  }
  CHECK(k > 3);
  CHECK(sim.log().status().state == eventlog::LogStatus::State::writable);
}

TEST_CASE("epochs: each opening for writing has a higher one", "[sim][recovery]") {
  SimLog sim(kSegmentBytes);
  const eventlog::file::Layout layout(kSimDirectory);
  std::uint64_t last = 0;
  for (int i = 0; i < 6; ++i) {
    REQUIRE(sim.open());
    REQUIRE(sim.append({100}));
    const auto mark = eventlog::file::read_durable_mark(sim.disk(), layout.durable());
    REQUIRE(mark);
    REQUIRE(*mark);
    CHECK((*mark)->epoch > last);
    last = (*mark)->epoch;
    if (i % 2 == 0) {
      sim.kill();
    } else {
      REQUIRE(sim.close());
    }
  }
}
