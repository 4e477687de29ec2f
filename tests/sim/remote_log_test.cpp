// SPDX-License-Identifier: MIT
// Several processes' logs over one stream in which everything goes wrong.
#include <atomic>
#include <cstdlib>
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

std::unique_ptr<RemoteEventLog> open_log(SimEngine& engine, const std::string& directory = {}) {
  eventlog::LogOptions options;
  options.state_directory = directory;
  options.segment_bytes = 64 * limits::kKiB;
  options.free_disk_floor_bytes = 0;
  auto opened = RemoteEventLog::open(engine.connect(), options);
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
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
    while (answered_ < told_.size()) {
      answered_.wait(answered_.load());
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

TEST_CASE("remote log: appends wait while the engine is away, and come when it is back",
          "[remote]") {
  SimEngine engine(1, {});
  const auto log = open_log(engine);
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
  CHECK(receipt->places[0].offset == Offset(10));
  CHECK(receipt->durability == eventlog::Durability::replicated);
}

}  // namespace vibes::test
