// SPDX-License-Identifier: MIT
// Several processes' logs over one stream in which everything goes wrong.
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "contract/harness.hpp"
#include "eventlog/remote/remote_event_log.hpp"
#include "sim/sim_stream.hpp"

namespace vibes::test {
namespace {

using eventlog::remote::RemoteEventLog;

eventlog::LogOptions options_for(const std::string& directory = {}) {
  eventlog::LogOptions options;
  options.state_directory = directory;
  options.segment_bytes = 64 * limits::kKiB;
  options.free_disk_floor_bytes = 0;
  options.engine_patience = std::chrono::milliseconds(20);
  return options;
}

std::unique_ptr<RemoteEventLog> open_log(SimEngine& engine, const eventlog::LogOptions& options) {
  auto opened = RemoteEventLog::open(engine.connect(), options);
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
}

std::unique_ptr<RemoteEventLog> open_log(SimEngine& engine, const std::string& directory = {}) {
  return open_log(engine, options_for(directory));
}

void wait_for_end(EventLog& log, Offset end) {
  while (log.end() < end) {
    log.signal().wait_beyond(log.end(), {}, std::chrono::seconds(1));
  }
}

/// What one writer appended, and what it was told.
struct Told {
  std::vector<event::NewEvent> events;
  std::optional<Result<AppendReceipt>> receipt;
};

/// Appends batches of 1 to 5 events, one in ten of them a second time, without waiting.
class Writer {
 public:
  Writer(EventLog& log, std::string name, std::uint64_t seed)
      : log_(log), name_(std::move(name)), random_(seed) {}

  void append(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!told_.empty() && random_() % 10 == 0) {
        send(told_[random_() % told_.size()].events);
      } else {
        send(fresh());
      }
    }
  }
  void wait() {
    for (std::size_t now = answered_; now < told_.size(); now = answered_) {
      answered_.wait(now);
    }
  }
  [[nodiscard]] const std::deque<Told>& told() const { return told_; }

 private:
  std::vector<event::NewEvent> fresh() {
    std::vector<event::NewEvent> events;
    for (std::size_t left = 1 + random_() % 5; left > 0; --left) {
      events.push_back(
          with_id(new_event("w", name_, ",\"n\":" + std::to_string(next_++)), random_uuid()));
    }
    return events;
  }
  void send(std::vector<event::NewEvent> events) {
    told_.push_back({events, std::nullopt});
    Told& told = told_.back();
    const std::size_t number = told_.size();
    REQUIRE(log_.append(std::move(events), [this, &told, number](Result<AppendReceipt> receipt) {
      told.receipt = std::move(receipt);
      in_order_ = in_order_ && answered_ + 1 == number;
      ++answered_;
      answered_.notify_all();
    }));
  }

  EventLog& log_;
  const std::string name_;
  std::mt19937_64 random_;
  std::uint64_t next_ = 0;
  std::deque<Told> told_;
  std::atomic<std::size_t> answered_ = 0;

 public:
  std::atomic<bool> in_order_ = true;
};

/// Every event is where its receipt says, once; refused ones are nowhere, whole batches at a time.
void check_writer(const Writer& writer, const std::vector<Seen>& all, Offset first) {
  CHECK(writer.in_order_);
  std::map<Uuid, std::vector<Offset>> places;
  for (const Seen& event : all) {
    places[event.event_id].push_back(event.offset);
  }
  std::set<Uuid> acknowledged;
  for (const Told& told : writer.told()) {
    if (!*told.receipt) {
      CHECK(told.receipt->error().code == eventlog::Errc::storage_full);
      continue;
    }
    const AppendReceipt& receipt = **told.receipt;
    REQUIRE(receipt.places.size() == told.events.size());
    for (std::size_t i = 0; i < told.events.size(); ++i) {
      const Uuid id = *told.events[i].event_id;
      acknowledged.insert(id);
      REQUIRE(places[id] == std::vector<Offset>{receipt.places[i].offset});
      CHECK(all[receipt.places[i].offset - first].payload == told.events[i].payload);
      CHECK(receipt.places[i].offset == receipt.places[0].offset + i);
    }
  }
  for (const Told& told : writer.told()) {
    for (const event::NewEvent& event : told.events) {
      CHECK(places.contains(*event.event_id) == acknowledged.contains(*event.event_id));
    }
  }
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("VIBES_SIM_SEED");  // NOLINT(concurrency-mt-unsafe)
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 2'026;
}

void run_writers(std::uint64_t seed, SimFaults faults, std::size_t writers, std::size_t appends) {
  CAPTURE(seed, writers, faults.checks_sequence);
  SimEngine engine(seed, faults);
  std::vector<std::unique_ptr<RemoteEventLog>> logs;
  std::deque<Writer> all_writers;
  for (std::size_t i = 0; i < writers; ++i) {
    logs.push_back(open_log(engine));
    all_writers.emplace_back(*logs.back(), "writer-" + std::to_string(i), seed + i);
  }
  {
    std::vector<std::jthread> threads;
    for (Writer& writer : all_writers) {
      threads.emplace_back([&writer, appends] {
        writer.append(appends);
        writer.wait();
      });
    }
  }
  engine.calm();
  const auto last = open_log(engine);
  const auto all = read_all(*last);
  for (std::size_t i = 0; i < writers; ++i) {
    wait_for_end(*logs[i], last->end());
    const auto here = read_all(*logs[i]);
    REQUIRE(here.size() == all.size());
    for (std::size_t at = 0; at < all.size(); ++at) {
      INFO("at " << at << " of " << all.size() << ": " << here[at].payload << " "
                 << here[at].session << " " << here[at].time.unix_us << " and " << all[at].payload
                 << " " << all[at].session << " " << all[at].time.unix_us);
      REQUIRE(here[at] == all[at]);
    }
    check_writer(all_writers[i], all, Offset{});
    REQUIRE(logs[i]->close());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].offset == Offset(i));
    CHECK((i == 0 || all[i].time >= all[i - 1].time));
  }
}

}  // namespace

TEST_CASE("remote log: every append is in the stream once, in order, whatever is lost on the way",
          "[remote]") {
  for (std::uint64_t seed = seed_of_run(); seed < seed_of_run() + 15; ++seed) {
    run_writers(seed, {.lose_answer = 30, .lose_message = 30, .late_message = 30, .foreign = 20}, 1,
                200);
  }
}

TEST_CASE("remote log: several writers see one order", "[remote]") {
  for (std::uint64_t seed = seed_of_run(); seed < seed_of_run() + 10; ++seed) {
    run_writers(seed, {.lose_answer = 20, .lose_message = 20, .late_message = 20, .foreign = 20}, 3,
                60);
  }
}

TEST_CASE("remote log: several writers see one order also where the engine takes everything",
          "[remote]") {
  for (std::uint64_t seed = seed_of_run(); seed < seed_of_run() + 10; ++seed) {
    run_writers(seed, {.lose_answer = 20, .foreign = 20, .checks_sequence = false}, 3, 60);
  }
}

TEST_CASE("remote log: what the engine refuses is refused, whole, and the rest goes on",
          "[remote]") {
  for (std::uint64_t seed = seed_of_run(); seed < seed_of_run() + 10; ++seed) {
    run_writers(seed, {.lose_answer = 20, .refuse = 50}, 2, 60);
  }
}

TEST_CASE("remote log: a cursor from a server that is ahead is not refused for good", "[remote]") {
  SimEngine engine(1, {});
  const auto log = open_log(engine);
  append_numbered(*log, 0, 10);
  auto cursor = log->cursor_at(Offset(10));
  REQUIRE(cursor);
  cursor->next = Offset(15);  // as the other one gave it
  const auto refused = log->resume(*cursor);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == std::errc::resource_unavailable_try_again);
}

TEST_CASE("remote log: a writer that never pauses does not keep another one out", "[remote]") {
  SimEngine engine(1, {});
  const auto busy = open_log(engine);
  const auto other = open_log(engine);
  std::atomic<bool> done = false;
  std::jthread writing([&] {
    std::atomic<std::uint64_t> in_flight = 0;
    for (std::uint64_t i = 0; !done; ++i) {
      ++in_flight;
      REQUIRE(busy->append({numbered(i)}, [&in_flight](const auto& /*receipt*/) {
        --in_flight;
        in_flight.notify_all();
      }));
      for (std::uint64_t now = in_flight; now > 100; now = in_flight) {
        in_flight.wait(now);
      }
    }
    for (std::uint64_t now = in_flight; now > 0; now = in_flight) {
      in_flight.wait(now);
    }
  });
  for (std::uint64_t i = 0; i < 50; ++i) {
    REQUIRE(append(*other, {numbered(i, "other")}));
  }
  done = true;
  writing.join();
  wait_for_end(*other, busy->end());
  wait_for_end(*busy, other->end());
  CHECK((read_all(*other) == read_all(*busy)));
}

TEST_CASE("remote log: a copy on disk goes on where it was", "[remote]") {
  const TempDir directory;
  SimEngine engine(1, {});
  std::vector<Seen> before;
  {
    const auto log = open_log(engine, directory.path().string());
    append_numbered(*log, 0, 500);
    before = read_all(*log);
    REQUIRE(log->close());
  }
  {
    const auto other = open_log(engine);
    append_numbered(*other, 500, 700);
  }
  const auto log = open_log(engine, directory.path().string());
  CHECK(log->end() == Offset(700));
  auto all = read_all(*log);
  all.resize(500);
  CHECK(all == before);
}

TEST_CASE("remote log: a copy begins where the stream begins", "[remote]") {
  SimEngine engine(1, {});
  const auto log = open_log(engine);
  append_numbered(*log, 0, 500);
  engine.trim(3);  // batches of 100
  const auto late = open_log(engine);
  CHECK(late->first() == Offset(200));
  CHECK(late->end() == Offset(500));
  append_numbered(*late, 500, 510);
  wait_for_end(*log, Offset(510));
  auto all = read_all(*log);
  all.erase(all.begin(), all.begin() + 200);
  CHECK(read_all(*late) == all);
}

TEST_CASE("remote log: a copy that missed too much is set aside, and says so", "[remote]") {
  const TempDir directory;
  SimEngine engine(1, {});
  {
    const auto log = open_log(engine, directory.path().string());
    append_numbered(*log, 0, 100);
  }
  const auto other = open_log(engine);
  append_numbered(*other, 100, 400);
  engine.trim(4);
  const auto log = open_log(engine, directory.path().string());
  CHECK(log->first() == Offset(300));
  CHECK(log->end() == Offset(400));
  CHECK(log->status().recovery.find("events 100 to 300 left the stream") != std::string::npos);
}

TEST_CASE("remote log: appends wait while the engine is away for a moment", "[remote]") {
  SimEngine engine(1, {});
  eventlog::LogOptions options = options_for();
  options.engine_patience = std::chrono::hours(1);
  const auto log = open_log(engine, options);
  append_numbered(*log, 0, 10);
  engine.set_reachable(false);
  CHECK(log->status().state == eventlog::LogStatus::State::away);
  std::promise<Result<AppendReceipt>> answer;
  auto answered = answer.get_future();
  REQUIRE(log->append({numbered(10)},
                      [&answer](auto receipt) { answer.set_value(std::move(receipt)); }));
  CHECK(read_all(*log).size() == 10);
  engine.set_reachable(true);
  const auto receipt = answered.get();
  REQUIRE(receipt);
  CHECK_FALSE(receipt->pending);
  CHECK(receipt->places[0].offset == Offset(10));
  CHECK(receipt->durability == eventlog::Durability::replicated);
}

TEST_CASE("remote log: a group is one process's at a time, and goes on where the other stopped",
          "[remote]") {
  SimEngine engine(1, {});
  const auto one = open_log(engine);
  const auto two = open_log(engine);
  append_numbered(*one, 0, 10);
  wait_for_end(*two, Offset(10));

  REQUIRE(one->group_offsets().claim("g"));
  REQUIRE(one->group_offsets().claim("g"));
  const auto refused = two->group_offsets().claim("g");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == eventlog::Errc::group_held);
  CHECK(refused.error().context.find("pid") != std::string::npos);
  REQUIRE(one->group_offsets().commit("g", Offset(4)));
  one->group_offsets().release("g");
  while (!two->group_offsets().claim("g")) {
  }
  CHECK(two->group_offsets().committed("g") == Offset(4));
  REQUIRE(two->group_offsets().commit("g", Offset(6)));
}

TEST_CASE("remote log: a closed log holds no group", "[remote]") {
  SimEngine engine(1, {});
  const auto two = open_log(engine);
  {
    const auto one = open_log(engine);
    REQUIRE(one->group_offsets().claim("g"));
  }
  CHECK(two->group_offsets().claim("g"));
}

TEST_CASE("remote log: who comes back to its directory has its groups at once", "[remote]") {
  SimEngine engine(1, {});
  const TempDir directory;
  {
    const auto one = open_log(engine, directory.path().string());
    REQUIRE(one->group_offsets().claim("g"));
    engine.set_reachable(false);  // it cannot let go: as if it was killed
  }
  engine.set_reachable(true);
  const auto two = open_log(engine);
  CHECK(two->group_offsets().claim("g").error().code == eventlog::Errc::group_held);
  const auto one = open_log(engine, directory.path().string());
  CHECK(one->group_offsets().claim("g"));
}

TEST_CASE("remote log: groups that are kept here are nobody else's", "[remote]") {
  SimEngine engine(1, {});
  eventlog::LogOptions options = options_for();
  options.groups_kept_here = {"mine", "each"};
  options.groups_of_each = {"each"};
  const auto one = open_log(engine, options);
  const auto two = open_log(engine, options);
  append_numbered(*one, 0, 10);
  wait_for_end(*two, Offset(10));
  for (const char* group : {"mine", "each"}) {
    REQUIRE(one->group_offsets().commit(group, Offset(4)));
    CHECK(one->group_offsets().committed(group) == Offset(4));
    CHECK_FALSE(two->group_offsets().committed(group));
  }
  REQUIRE(one->group_offsets().claim("each"));
  CHECK(two->group_offsets().claim("each"));
  REQUIRE(one->group_offsets().claim("mine"));
  CHECK_FALSE(two->group_offsets().claim("mine"));
}

TEST_CASE("remote log: what is appended while the engine is away is pending, then in the log",
          "[remote]") {
  const TempDir directory;
  SimEngine engine(1, {});
  const auto log = open_log(engine, directory.path().string());
  append_numbered(*log, 0, 10);
  engine.set_reachable(false);
  for (std::uint64_t i = 10; i < 30; ++i) {
    const auto receipt = append(*log, {numbered(i)});
    REQUIRE(receipt);
    CHECK(receipt->pending);
    CHECK(receipt->durability == eventlog::Durability::fsync);
    CHECK_FALSE(receipt->places[0].event_id.is_nil());
  }
  CHECK(log->end() == Offset(10));
  CHECK(log->status().pending_events == 20);
  engine.set_reachable(true);
  wait_for_end(*log, Offset(30));
  const auto all = read_all(*log);
  REQUIRE(all.size() == 30);
  for (std::uint64_t i = 0; i < 30; ++i) {
    CHECK(all[i].payload == numbered(i).payload);
  }
  // Whoever appends then may still be told pending, until the outbox is empty.
  while (append(*log, {numbered(99)})->pending || log->status().pending_events > 0) {
  }
  CHECK(log->status().state == eventlog::LogStatus::State::writable);
}

TEST_CASE("remote log: what is pending outlives the process", "[remote]") {
  const TempDir directory;
  SimEngine engine(1, {});
  {
    const auto log = open_log(engine, directory.path().string());
    append_numbered(*log, 0, 10);
    engine.set_reachable(false);
    for (std::uint64_t i = 10; i < 20; ++i) {
      REQUIRE(append(*log, {numbered(i), numbered(100 + i)})->pending);
    }
    REQUIRE(log->close());
  }
  engine.set_reachable(true);
  const auto log = open_log(engine, directory.path().string());
  append_numbered(*log, 20, 21);
  wait_for_end(*log, Offset(31));
  const auto all = read_all(*log);
  REQUIRE(all.size() == 31);
  for (std::uint64_t i = 10; i < 20; ++i) {
    CHECK(all[i * 2 - 10].payload == numbered(i).payload);
    CHECK(all[i * 2 - 9].payload == numbered(100 + i).payload);
  }
  CHECK(all[30].payload == numbered(20).payload);
}

TEST_CASE("remote log: an engine that comes and goes loses, doubles and reorders nothing",
          "[remote]") {
  for (std::uint64_t seed = seed_of_run(); seed < seed_of_run() + 5; ++seed) {
    CAPTURE(seed);
    const TempDir directory;
    SimEngine engine(seed, {.lose_answer = 30, .lose_message = 30, .late_message = 30});
    const auto log = open_log(engine, directory.path().string());
    std::atomic<bool> done = false;
    engine.set_reachable(false);  // so that the first is pending on any machine
    REQUIRE(append(*log, {numbered(0), numbered(1)})->pending);
    std::uint64_t pending = 1;
    std::thread flapping([&] {
      std::mt19937_64 random(seed);
      while (!done) {
        engine.set_reachable(random() % 3 != 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
      }
      engine.calm();
      engine.set_reachable(true);
    });
    // Long enough to meet the engine both ways.
    std::uint64_t appends = 1;
    for (; appends < 300 || pending == appends; ++appends) {
      const std::uint64_t i = appends;
      const auto receipt = append(*log, {numbered(2 * i), numbered(2 * i + 1)});
      REQUIRE(receipt);
      pending += receipt->pending ? 1U : 0U;
    }
    done = true;
    flapping.join();
    wait_for_end(*log, Offset(2 * appends));
    const auto all = read_all(*log);
    REQUIRE(all.size() == 2 * appends);
    for (std::uint64_t i = 0; i < all.size(); ++i) {
      REQUIRE(all[i].payload == numbered(i).payload);
    }
  }
}

TEST_CASE("remote log: without an outbox appends are refused while the engine is away",
          "[remote]") {
  SimEngine engine(1, {});
  eventlog::LogOptions options = options_for();
  options.outbox = false;
  const auto log = open_log(engine, options);
  append_numbered(*log, 0, 10);
  engine.set_reachable(false);
  const auto first = append(*log, {numbered(10)});
  REQUIRE_FALSE(first);
  CHECK(first.error().code == eventlog::Errc::unreachable);
  const auto second = append(*log, {numbered(11)});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == eventlog::Errc::unreachable);
  engine.set_reachable(true);
  while (!append(*log, {numbered(12)})) {
  }
  CHECK(read_all(*log).size() == 11);
}

TEST_CASE("remote log: a full outbox refuses, and takes again once there is room", "[remote]") {
  SimEngine engine(1, {});
  eventlog::LogOptions options = options_for();
  options.outbox_bytes_max = 100;
  const auto log = open_log(engine, options);
  engine.set_reachable(false);
  std::uint64_t taken = 0;
  while (true) {
    const auto receipt = append(*log, {numbered(taken)});
    if (!receipt) {
      CHECK(receipt.error().code == eventlog::Errc::storage_full);
      break;
    }
    ++taken;
  }
  CHECK(taken > 2);
  engine.set_reachable(true);
  wait_for_end(*log, Offset(taken));
  while (!append(*log, {numbered(taken)})) {
  }
  wait_for_end(*log, Offset(taken + 1));
  CHECK(read_all(*log).size() == taken + 1);
}

TEST_CASE("remote log: what the stream refuses of the outbox is put aside, and told", "[remote]") {
  const TempDir directory;
  SimEngine engine(1, {});
  const Uuid id = random_uuid();
  const auto log = open_log(engine, directory.path().string());
  append_one(*log, with_id(numbered(0), id));
  engine.set_reachable(false);
  REQUIRE(append(*log, {with_id(numbered(1), id)})->pending);
  REQUIRE(append(*log, {with_id(numbered(0), id)}).error().code ==
          eventlog::Errc::event_id_conflict);
  REQUIRE(append(*log, {numbered(2)})->pending);
  engine.set_reachable(true);
  wait_for_end(*log, Offset(2));
  const auto all = read_all(*log);
  REQUIRE(all.size() == 2);
  CHECK(all[1].payload == numbered(2).payload);
  while (log->status().refused_events == 0) {  // the events behind it need not wait for that
  }
  std::ifstream refused(directory.path() / to_string(log->log_id()) / "outbox.refused.jsonl");
  std::string line;
  REQUIRE(std::getline(refused, line));
  CHECK(line.find(numbered(1).payload) != std::string::npos);
  CHECK(line.find("another payload") != std::string::npos);
  CHECK(log->status().refused_events == 1);
}

}  // namespace vibes::test
