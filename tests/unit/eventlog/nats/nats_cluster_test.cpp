// SPDX-License-Identifier: MIT
#include "support/nats_cluster.hpp"

#include <chrono>
#include <thread>

#include "nats_fixture.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using test::batch_of;
using test::NatsCluster;
using test::open_stream;
using test::payload_of;
using test::read;

TEST_CASE("NatsStream: in a cluster, appends that were acknowledged survive any one server",
          "[eventlog][nats][cluster]") {
  constexpr std::uint64_t kEach = 20;
  NatsCluster cluster;
  auto stream = open_stream(cluster.url());
  CHECK(stream->facts()->durability == Durability::replicated);
  const Uuid log_id = stream->facts()->log_id;
  std::uint64_t appended = 0;
  // As a log over it does: what is not known is found out by reading.
  const auto append_one = [&] {
    const auto batch = batch_of(Offset(appended), {payload_of(appended)});
    const auto until = std::chrono::steady_clock::now() + test::kPatience;
    for (;;) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      const auto sequence = test::publish(*stream, batch, appended);
      if (sequence) {
        CHECK(*sequence == appended + 1);
        break;
      }
      CAPTURE(sequence.error().message());
      const auto code = sequence.error().code;
      REQUIRE((code == Errc::not_next || code == Errc::indeterminate || code == Errc::unreachable));
      const auto found = stream->follow(appended, std::chrono::milliseconds(100), {});
      if (found && !found->empty()) {
        REQUIRE(found->front().batch);
        REQUIRE(found->front().batch->events[0].event_id == batch.events[0].event_id);
        break;
      }
      if (!found) {
        // Asked again at once it says the same, and takes the core that the servers need to elect.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    ++appended;
  };
  for (std::size_t i = 0; i < NatsCluster::kServers; ++i) {
    for (std::uint64_t n = 0; n < kEach; ++n) {
      append_one();
    }
    cluster.at(i).kill();
    for (std::uint64_t n = 0; n < kEach; ++n) {
      append_one();
    }
    cluster.at(i).start_again();
  }
  const auto messages = read(*stream, 0, appended);
  for (std::uint64_t i = 0; i < appended; ++i) {
    REQUIRE(messages[i].batch);
    CHECK(messages[i].sequence == i + 1);
    CHECK(messages[i].batch->first == Offset(i));
  }
  stream->close();
  CHECK(open_stream(cluster.url())->facts()->log_id == log_id);
}
