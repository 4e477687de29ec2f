// SPDX-License-Identifier: MIT
#include "consumers/websocket_consumer.hpp"

#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/test_log.hpp"

using namespace vibes;
using consumers::Broadcaster;
using consumers::WebsocketConsumer;

namespace {

/// A log whose readers fail while told to.
class FailingLog final : public eventlog::EventLog {
 public:
  explicit FailingLog(eventlog::EventLog& inner) : inner_(inner) {}
  bool failing = false;

  [[nodiscard]] Uuid log_id() const override { return inner_.log_id(); }
  Result<void> append(std::vector<event::NewEvent> batch, eventlog::AppendDone done) override {
    return inner_.append(std::move(batch), std::move(done));
  }
  Result<std::unique_ptr<eventlog::Reader>> reader(const eventlog::Position& position) override {
    VIBES_TRY_ASSIGN(reader, inner_.reader(position));
    return std::unique_ptr<eventlog::Reader>(new FailingReader(*this, std::move(reader)));
  }
  Result<Offset> resolve(const eventlog::Position& position) override {
    return inner_.resolve(position);
  }
  [[nodiscard]] Offset first() const override { return inner_.first(); }
  [[nodiscard]] eventlog::CommitSignal& signal() const override { return inner_.signal(); }
  [[nodiscard]] eventlog::GroupOffsets& group_offsets() override { return inner_.group_offsets(); }
  [[nodiscard]] eventlog::LogStatus status() const override { return inner_.status(); }
  Result<void> close() override { return inner_.close(); }

 private:
  class FailingReader final : public eventlog::Reader {
   public:
    FailingReader(FailingLog& log, std::unique_ptr<eventlog::Reader> inner)
        : log_(log), inner_(std::move(inner)) {}
    Result<eventlog::ReadBatch> read(const eventlog::ReadRequest& request) override {
      if (log_.failing) {
        return fail(eventlog::Errc::corrupt, "offsets 3 to 5");
      }
      return inner_->read(request);
    }
    Result<eventlog::ReadBatch> read_back(const eventlog::ReadRequest& request) override {
      return inner_->read_back(request);
    }
    [[nodiscard]] Offset position() const override { return inner_->position(); }
    void seek(Offset offset) override { inner_->seek(offset); }

   private:
    FailingLog& log_;
    std::unique_ptr<eventlog::Reader> inner_;
  };

  eventlog::EventLog& inner_;
};

}  // namespace

TEST_CASE("WebsocketConsumer: starts at the log's end", "[consumers][websocket]") {
  test::TestLog events;
  events.append_many(5, "note", "s");
  Broadcaster ring;
  WebsocketConsumer consumer(events.log(), ring);
  const auto client = ring.attach();
  CHECK(consumer.position() == Offset(5));
  events.append_many(2, "note", "s");
  CHECK(consumer.pump() == Offset(7));
  CHECK(ring.ring_first() == Offset(5));
  CHECK(ring.ring_end() == Offset(7));
}

TEST_CASE("WebsocketConsumer: without a client it moves on and encodes nothing",
          "[consumers][websocket]") {
  test::TestLog events;
  Broadcaster ring;
  WebsocketConsumer consumer(events.log(), ring);
  events.append_many(1'000, "note", "s");
  CHECK(consumer.pump() == Offset(1'000));
  CHECK(ring.ring_bytes() == 0);
  {
    const auto client = ring.attach();
    events.append_many(10, "note", "s");
    consumer.pump();
    CHECK(ring.ring_first() == Offset(1'000));
    CHECK(ring.ring_end() == Offset(1'010));
  }
  events.append_many(10, "note", "s");
  consumer.pump();
  CHECK(ring.ring_bytes() == 0);
  CHECK(ring.ring_first() == Offset(1'020));
}

TEST_CASE("WebsocketConsumer: a read error keeps the position, says why, and is tried again",
          "[consumers][websocket]") {
  test::TestLog events;
  FailingLog log(events.log());
  Broadcaster ring;
  WebsocketConsumer consumer(log, ring);
  const auto client = ring.attach();
  events.append_many(3, "note", "s");
  REQUIRE(consumer.pump() == Offset(3));

  log.failing = true;
  events.append_many(3, "note", "s");
  CHECK(consumer.pump() == Offset(3));
  CHECK(consumer.problem().find("offsets 3 to 5") != std::string::npos);

  log.failing = false;
  CHECK(consumer.pump() == Offset(6));
  CHECK(consumer.problem().empty());
  CHECK(ring.ring_first() == Offset(0));
}

TEST_CASE("WebsocketConsumer: any number of threads may pump", "[consumers][websocket][threads]") {
  test::TestLog events;
  Broadcaster ring;
  WebsocketConsumer consumer(events.log(), ring);
  const auto client = ring.attach();
  std::vector<std::jthread> pumps;
  for (int i = 0; i < 3; ++i) {
    pumps.emplace_back([&consumer](std::stop_token stop) {
      while (!stop.stop_requested()) {
        consumer.pump();
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    events.append_many(20, "note", "s");
  }
  CHECK(consumer.pump() == Offset(4'000));
  pumps.clear();
  CHECK(ring.ring_end() == Offset(4'000));
}
