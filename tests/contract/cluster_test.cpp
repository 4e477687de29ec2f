// SPDX-License-Identifier: MIT
// What holds where logs share a stream in a cluster of three, and its nodes die one after the
// other.
#include "contract/shared_logs.hpp"
#include "support/nats_cluster.hpp"

namespace vibes::test {
TEST_CASE("a cluster whose nodes are killed one after the other loses nothing acknowledged",
          "[contract][nats][cluster]") {
  constexpr std::uint64_t kEach = 400;
  const TempDir directory;
  NatsCluster cluster;
  const auto one = open(cluster.url("/shared?replicas=3"), own_options(directory, "one"));
  const auto two = open(cluster.url("/shared?replicas=3"), own_options(directory, "two"));
  CHECK(one->log_id() == two->log_id());
  CHECK(one->status().engine_durability == eventlog::Durability::replicated);
  auto follower = two->reader(eventlog::Beginning{});
  REQUIRE(follower);
  std::vector<Seen> followed;
  const auto follow = [&] {
    while ((*follower)->position() < two->end()) {
      const auto batch = (*follower)->read({});
      REQUIRE(batch);
      for (const event::EventView& view : batch->events) {
        followed.push_back(seen(view));
      }
    }
  };

  std::map<std::string, std::uint64_t> counts;
  std::uint64_t replicated = 0;
  for (std::size_t node = 0; node < NatsCluster::kServers; ++node) {
    const std::string number = std::to_string(node);
    Writer first(*one, "a" + number, kEach);
    Writer second(*two, "b" + number, kEach);
    wait_for_end(*two, two->end() + 50);
    cluster.at(node).kill();
    first.join();
    second.join();
    CHECK(first.acknowledged() == kEach);
    CHECK(second.acknowledged() == kEach);
    replicated += first.replicated() + second.replicated();
    CHECK(first.replicated() + first.pending() == kEach);
    CHECK(second.replicated() + second.pending() == kEach);
    counts["a" + number] = counts["b" + number] = kEach;
    // Without the node everything comes: two of three are a majority.
    wait_for_end(*two, Offset(2 * kEach * (node + 1)));
    follow();
    cluster.at(node).start_again();
    cluster.wait_until_whole("shared");
  }
  CHECK(replicated > 0);
  wait_for_end(*one, two->end());
  const auto all = read_all(*one);
  CHECK((read_all(*two) == all));
  CHECK((followed == all));
  check_streams(all, counts);
}

TEST_CASE("a cluster that can be reached and has no leader is away", "[contract][nats][cluster]") {
  const TempDir directory;
  NatsCluster cluster;
  const auto log = open(cluster.url("/shared?replicas=3"), own_options(directory, "one"));
  append_numbered(*log, 0, 10);
  cluster.at(1).kill();
  cluster.at(2).kill();
  for (std::uint64_t i = 10; i < 20; ++i) {
    const auto receipt = append(*log, {numbered(i)});
    REQUIRE(receipt);
    CHECK(receipt->pending);
  }
  CHECK(log->status().state == eventlog::LogStatus::State::away);
  cluster.at(1).start_again();
  cluster.at(2).start_again();
  wait_for_end(*log, Offset(20));
  const auto all = read_all(*log);
  REQUIRE(all.size() == 20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(all[i].payload == numbered(i).payload);
  }
}

}  // namespace vibes::test
