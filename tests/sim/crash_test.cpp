// SPDX-License-Identifier: MIT
// Power loss, adversarially: a run is recorded call by call; after each call the machine may stop,
// and of everything that was not synced (sectors, sizes, names) any subset may be on disk. Each
// such state is opened again and must hold a prefix of what was sent with all that was
// acknowledged.
#include <iostream>
#include <random>
#include <unordered_set>

#include "sim_log.hpp"

using namespace vibes;
using namespace vibes::test;

namespace {

struct Snapshot {
  io::SimDisk::State state;
  Attempts attempts;
};

/// Runs `work` on a new log and keeps the state of the disk after every call that changed it.
class Recorder {
 public:
  explicit Recorder(std::uint64_t segment_bytes) : Recorder(std::nullopt, segment_bytes) {}
  Recorder(std::optional<io::SimDisk::State> state, std::uint64_t segment_bytes)
      : sim_(std::move(state), segment_bytes) {
    // While the writer thread changes the disk the test thread waits for it, so `attempts` stands
    // still.
    sim_.disk().on_change([this](const io::SimDisk::State& now) { keep(now); });
    sim_.on_ack([this] { keep(sim_.disk().state()); });
  }

  [[nodiscard]] SimLog& sim() { return sim_; }
  std::vector<Snapshot> take() {
    sim_.disk().on_change({});
    sim_.on_ack({});
    return std::move(snapshots_);
  }

 private:
  void keep(const io::SimDisk::State& state) {
    const MutexLock lock(mutex_);  // a commit's moments come from the test's own thread
    snapshots_.push_back({state, sim_.attempts()});
  }

  Mutex mutex_;
  std::vector<Snapshot> snapshots_;
  SimLog sim_;
};

class CrashChecker {
 public:
  explicit CrashChecker(std::uint64_t seed) : seed_(seed), random_(seed) {}

  [[nodiscard]] std::size_t distinct() const { return seen_.size(); }

  /// Every subset where there are few things to decide about, else `samples` of them.
  void check_all(const Snapshot& snapshot, std::size_t exhaustive_bits, std::size_t samples) {
    const std::size_t bits = snapshot.state.undecided();
    if (bits <= exhaustive_bits) {
      for (std::uint64_t subset = 0; subset < (1ULL << bits); ++subset) {
        check(snapshot, snapshot.state.crashed([&](std::size_t i) { return subset >> i & 1U; }));
      }
      return;
    }
    for (std::size_t i = 0; i < samples; ++i) {
      const std::uint64_t chance = std::array{0U, 10U, 50U, 90U, 100U}[i % 5];
      check(snapshot, snapshot.state.crashed(
                          [&](std::size_t /*thing*/) { return random_() % 100 < chance; }));
    }
  }

  void check(const Snapshot& snapshot, io::SimDisk::State left) {
    const std::uint64_t hash = left.hash() ^ (snapshot.attempts.acked * 0x9e3779b97f4a7c15ULL);
    if (!seen_.insert(hash).second) {
      return;
    }
    SimLog after(std::move(left), segment_bytes);
    after.attempts() = snapshot.attempts;
    require(after.open());
    std::size_t count = 0;
    require_empty(check_log(after.log(), snapshot.attempts, count));
    if (seen_.size() % 8 == 0) {
      go_on(after, count);
    }
  }

  std::uint64_t segment_bytes = 8 * limits::kKiB;

 private:
  /// The log can be written again, and what is written then is there after one more stop.
  void go_on(SimLog& after, std::size_t count) {
    after.attempts().events.resize(count);
    after.attempts().commit_attempted = snapshot_commit(after);
    after.attempts().commit_acked = after.attempts().commit_attempted;
    if (count > after.log().first().value()) {
      // Sent again with the same id: known, also across the crash.
      const Attempts::Event& known = after.attempts().events[count - 1];
      event::NewEvent again{known.payload, "note", "", known.event_id};
      const auto receipt = after.append_as({again});
      require_ok(receipt);
      REQUIRE(receipt->duplicates() == 1);
      REQUIRE(receipt->places[0].offset == Offset(count - 1));
    }
    require_ok(after.append({200, 50}));
    if (random_() % 2 == 0) {
      after.crash([&](std::size_t /*thing*/) { return random_() % 2 == 0; });
    } else {
      require(after.close());
    }
    require(after.open());
    require_empty(check_log(after.log(), after.attempts(), count));
    REQUIRE(count == after.attempts().events.size());
  }

  static std::uint64_t snapshot_commit(SimLog& after) {
    return after.log().group_offsets().committed("g").value_or(Offset{}).value();
  }

  void require(const Result<void>& result) {
    if (!result) {
      FAIL("seed " << seed_ << ", state " << seen_.size() << ": " << result.error().message());
    }
  }
  template <class T>
  void require_ok(const Result<T>& result) {
    if (!result) {
      FAIL("seed " << seed_ << ", state " << seen_.size() << ": " << result.error().message());
    }
  }
  void require_empty(const std::string& wrong) {
    if (!wrong.empty()) {
      FAIL("seed " << seed_ << ", state " << seen_.size() << ": " << wrong);
    }
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::unordered_set<std::uint64_t> seen_;
};

/// Batches of different sizes over several segments, a commit now and then, a clean restart in the
/// middle.
std::vector<Snapshot> record_run(std::uint64_t seed, std::size_t appends) {
  std::mt19937_64 random(seed);
  Recorder recorder(8 * limits::kKiB);
  SimLog& sim = recorder.sim();
  REQUIRE(sim.open());
  for (std::size_t i = 0; i < appends; ++i) {
    std::vector<std::size_t> batch(1 + random() % 4);
    for (std::size_t& bytes : batch) {
      bytes = random() % 4 == 0 ? random() % 900 : random() % 200;
    }
    REQUIRE(sim.append(batch));
    if (random() % 8 == 0) {
      REQUIRE(sim.commit(sim.attempts().acked - random() % 2));
    }
    if (random() % 16 == 0) {
      REQUIRE(sim.close());
      REQUIRE(sim.open());
    }
  }
  auto snapshots = recorder.take();
  REQUIRE(sim.close());
  return snapshots;
}

}  // namespace

TEST_CASE("crash states: whatever of the unsynced survives, the log holds what it acknowledged",
          "[sim][recovery]") {
  const std::uint64_t wanted = from_environment("VIBES_SIM_STATES", 100'000);
  std::uint64_t seed = from_environment("VIBES_SIM_SEED", 20'240);
  const std::uint64_t first_seed = seed;
  std::size_t states = 0;
  while (states < wanted) {
    CrashChecker checker(seed);
    for (const Snapshot& snapshot : record_run(seed, 40)) {
      checker.check_all(snapshot, 6, 40);
    }
    states += checker.distinct();
    ++seed;
  }
  std::cout << "crash states: " << states << " distinct, seeds " << first_seed << " to " << seed - 1
            << ", 0 violations\n";
  CHECK(states >= wanted);
}

TEST_CASE("crash states: all of a run of 30 calls and acks", "[sim][recovery]") {
  Recorder recorder(8 * limits::kKiB);
  SimLog& sim = recorder.sim();
  REQUIRE(sim.open());
  const std::size_t before = recorder.take().size();
  REQUIRE(sim.close());
  CHECK(before > 10);

  Recorder run(8 * limits::kKiB);
  REQUIRE(run.sim().open());
  while (run.sim().attempts().acked < 30) {
    REQUIRE(run.sim().append({150, 100, 300}));
  }
  const auto snapshots = run.take();
  REQUIRE(run.sim().close());
  CrashChecker checker(1);
  const std::size_t calls = std::min<std::size_t>(snapshots.size(), before + 30);
  for (std::size_t i = before; i < calls; ++i) {
    checker.check_all(snapshots[i], 16, 0);
  }
  CHECK(calls == before + 30);
  std::cout << "crash states of 30 calls and acks: " << checker.distinct() << ", all\n";
}

TEST_CASE("crash states: retention by age takes all there is, or less, and nothing else",
          "[sim][recovery]") {
  Recorder recorder(8 * limits::kKiB);
  SimLog& sim = recorder.sim();
  REQUIRE(sim.open());
  for (int i = 0; i < 20; ++i) {
    REQUIRE(sim.append({600, 300}));
  }
  REQUIRE(sim.close());
  (void)recorder.take();

  Recorder run(sim.disk().state(), 8 * limits::kKiB);
  run.sim().attempts() = sim.attempts();
  run.sim().attempts().dropped_at_most = sim.attempts().acked;
  run.sim().options().retention.age = std::chrono::minutes{1};
  run.sim().clock().advance(std::chrono::hours{1});
  REQUIRE(run.sim().open());
  REQUIRE(run.sim().append({200}));  // by now the writer has looked at its rules
  CHECK(run.sim().log().first() == Offset(sim.attempts().acked));
  const auto snapshots = run.take();
  REQUIRE(run.sim().close());
  CrashChecker checker(1);
  for (const Snapshot& snapshot : snapshots) {
    checker.check_all(snapshot, 10, 40);
  }
  std::cout << "crash states of retention by age: " << checker.distinct() << ", 0 violations\n";
}

TEST_CASE("torn tail: the last batch may be cut, zeroed or old at any place", "[sim][recovery]") {
  SimLog sim(32 * limits::kKiB);
  REQUIRE(sim.open());
  REQUIRE(sim.append({100, 100}));
  const auto before_last = sim.disk().contents(sim.segment_path(0));
  const Attempts acked = sim.attempts();
  std::vector<std::size_t> last(20, 250);
  REQUIRE(sim.append(last));
  sim.kill();  // before the idle mark vouches for the last batch
  const auto whole = sim.disk().contents(sim.segment_path(0));
  const auto state = sim.disk().state();
  const auto check = [&](std::vector<std::byte> bytes) {
    SimLog after(state, 32 * limits::kKiB);
    after.disk().set_contents(sim.segment_path(0), std::move(bytes));
    after.attempts() = sim.attempts();
    after.attempts().acked = acked.acked;  // the crash came before the ack
    const auto opened = after.open();
    REQUIRE(opened);
    std::size_t count = 0;
    REQUIRE(check_log(after.log(), after.attempts(), count).empty());
    REQUIRE((count == acked.acked || count == sim.attempts().events.size()));  // all or nothing
  };
  std::size_t start = 0;
  while (whole[start] == before_last[start]) {
    ++start;
  }
  std::size_t end = whole.size();
  while (whole[end - 1] == std::byte{0}) {
    --end;
  }
  REQUIRE(end - start > 5'000);
  const std::uint64_t step = from_environment("VIBES_SIM_CUT_STEP", 1);
  for (std::size_t cut = start; cut <= end; cut += step) {
    check({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)});
    auto zeroed = whole;
    std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(cut), zeroed.end(), std::byte{0});
    check(std::move(zeroed));
  }
  for (std::size_t sector = start / 512; sector <= (end - 1) / 512; ++sector) {
    auto old = whole;
    std::copy_n(before_last.begin() + static_cast<std::ptrdiff_t>(sector * 512), 512,
                old.begin() + static_cast<std::ptrdiff_t>(sector * 512));
    check(std::move(old));
  }
}

TEST_CASE("torn tail: what was cut off is gone, and is not found torn again", "[sim][recovery]") {
  SimLog sim(32 * limits::kKiB);
  REQUIRE(sim.open());
  REQUIRE(sim.append({100, 100}));
  // Within the ack nothing vouches for the batch yet.
  std::optional<io::SimDisk::State> state;
  sim.on_ack([&] { state = sim.disk().state(); });
  REQUIRE(sim.append({5'000}));
  REQUIRE(state);

  SimLog after(std::move(*state), 32 * limits::kKiB);
  auto bytes = after.disk().contents(after.segment_path(0));
  const auto last_used = std::find_if(bytes.rbegin(), bytes.rend(),
                                      [](std::byte byte) { return byte != std::byte{0}; });
  REQUIRE(last_used != bytes.rend());
  *last_used ^= std::byte{1};
  after.disk().set_contents(after.segment_path(0), bytes);
  REQUIRE(after.open());
  CHECK(after.log().end() == Offset(2));
  CHECK(after.log().status().recovery.find("torn tail") != std::string::npos);
  after.kill();
  REQUIRE(after.open());
  CHECK(after.log().end() == Offset(2));
  CHECK(after.log().status().recovery.find("torn tail") == std::string::npos);
}
