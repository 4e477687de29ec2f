// SPDX-License-Identifier: MIT
// What becomes of appends that wait for each other: they share messages.
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "contract/harness.hpp"
#include "eventlog/remote/remote_event_log.hpp"
#include "sim/sim_stream.hpp"

namespace vibes::test {
namespace {

using eventlog::remote::RemoteEventLog;

/// A log whose appends wait for each other, because the engine is away, until come_back().
class Queueing {
 public:
  explicit Queueing(SimFaults faults = {}) : engine_(1, faults) {
    eventlog::LogOptions options;
    options.engine_patience = std::chrono::hours(1);
    auto opened = RemoteEventLog::open(engine_.connect(), options);
    REQUIRE(opened);
    log_ = *std::move(opened);
    engine_.set_reachable(false);
  }
  void append(std::vector<event::NewEvent> events) {
    answers_.emplace_back();
    REQUIRE(log_->append(std::move(events), [&answer = answers_.back()](auto receipt) {
      answer.set_value(std::move(receipt));
    }));
  }
  std::vector<Result<AppendReceipt>> come_back() {
    engine_.set_reachable(true);
    std::vector<Result<AppendReceipt>> receipts;
    for (auto& answer : answers_) {
      receipts.push_back(answer.get_future().get());
    }
    return receipts;
  }
  [[nodiscard]] std::uint64_t messages() const { return engine_.last_sequence(); }
  [[nodiscard]] EventLog& log() { return *log_; }

 private:
  SimEngine engine_;
  std::unique_ptr<RemoteEventLog> log_;
  std::deque<std::promise<Result<AppendReceipt>>> answers_;
};

}  // namespace

TEST_CASE("remote log: appends that wait for each other are one message, each with its places",
          "[remote]") {
  Queueing queue;
  for (std::uint64_t i = 0; i < 500; ++i) {
    queue.append({numbered(2 * i), numbered(2 * i + 1)});
  }
  const auto receipts = queue.come_back();
  CHECK(queue.messages() == 1);
  for (std::uint64_t i = 0; i < receipts.size(); ++i) {
    REQUIRE(receipts[i]);
    REQUIRE(receipts[i]->places.size() == 2);
    CHECK(receipts[i]->places[0].offset == Offset(2 * i));
    CHECK(receipts[i]->places[1].offset == Offset(2 * i + 1));
  }
  const auto all = read_all(queue.log());
  REQUIRE(all.size() == 1'000);
  for (std::uint64_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i].payload == numbered(i).payload);
  }
}

TEST_CASE("remote log: a message of several appends has at most 1,000 events and 256 KiB",
          "[remote]") {
  Queueing many;
  for (std::uint64_t i = 0; i < 1'001; ++i) {
    many.append({numbered(i)});
  }
  (void)many.come_back();
  CHECK(many.messages() == 2);

  Queueing large;
  const std::string text(100 * limits::kKiB, 'x');
  for (int i = 0; i < 3; ++i) {
    large.append({new_event("w", "s", ",\"x\":\"" + text + "\"")});
  }
  (void)large.come_back();
  CHECK(large.messages() == 2);
}

TEST_CASE("remote log: a conflict in a message of several appends concerns only its own",
          "[remote]") {
  Queueing queue;
  const Uuid id = random_uuid();
  queue.append({with_id(numbered(0), id)});
  queue.append({numbered(1), with_id(numbered(2), id)});
  queue.append({with_id(numbered(0), id)});
  queue.append({numbered(3)});
  const auto receipts = queue.come_back();
  CHECK(queue.messages() == 1);
  REQUIRE(receipts[0]);
  REQUIRE_FALSE(receipts[1]);
  CHECK(receipts[1].error().code == eventlog::Errc::event_id_conflict);
  REQUIRE(receipts[2]);
  CHECK(receipts[2]->places[0].duplicate);
  CHECK(receipts[2]->places[0].offset == Offset(0));
  REQUIRE(receipts[3]);
  CHECK(receipts[3]->places[0].offset == Offset(1));
  const auto all = read_all(queue.log());
  REQUIRE(all.size() == 2);
  CHECK(all[1].payload == numbered(3).payload);
}

TEST_CASE("remote log: appends of different sessions are different messages", "[remote]") {
  Queueing queue;
  queue.append({new_event("w", "a")});
  queue.append({new_event("w", "a")});
  queue.append({new_event("w", "b")});
  queue.append({new_event("w", "b"), new_event("w", "a")});
  queue.append({new_event("w", "a")});
  for (const auto& receipt : queue.come_back()) {
    CHECK(receipt);
  }
  CHECK(queue.messages() == 4);
}

TEST_CASE("remote log: what shares a message with something that is refused is offered again alone",
          "[remote]") {
  Queueing queue({.events_max = 3});
  queue.append({numbered(0), numbered(1)});
  queue.append({numbered(90), numbered(91), numbered(92), numbered(93)});
  queue.append({numbered(2), numbered(3), numbered(4)});
  const auto receipts = queue.come_back();
  REQUIRE(receipts[0]);
  REQUIRE_FALSE(receipts[1]);
  CHECK(receipts[1].error().code == eventlog::Errc::storage_full);
  REQUIRE(receipts[2]);
  const auto all = read_all(queue.log());
  REQUIRE(all.size() == 5);
  for (std::uint64_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].payload == numbered(i).payload);
  }
}

}  // namespace vibes::test
