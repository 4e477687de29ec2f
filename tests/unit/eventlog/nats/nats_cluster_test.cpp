// SPDX-License-Identifier: MIT
#include <array>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/unique_fd.hpp"
#include "nats_fixture.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using test::batch_of;
using test::NatsServer;
using test::open_stream;
using test::payload_of;
using test::read;

namespace {

constexpr std::size_t kServers = 3;

/// Ports that were free a moment ago, all different.
std::array<std::uint16_t, kServers> free_ports() {
  std::array<UniqueFd, kServers> sockets;
  std::array<std::uint16_t, kServers> ports{};
  for (std::size_t i = 0; i < kServers; ++i) {
    sockets.at(i).reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(sockets.at(i).get(), generic, size) == 0);
    REQUIRE(::getsockname(sockets.at(i).get(), generic, &size) == 0);
    ports.at(i) = ntohs(address.sin_port);
  }
  return ports;
}

class Cluster {
 public:
  Cluster() {
    const auto ports = free_ports();
    std::string routes;
    for (const std::uint16_t port : ports) {
      routes += (routes.empty() ? "" : ", ") + ("nats://127.0.0.1:" + std::to_string(port));
    }
    for (std::size_t i = 0; i < kServers; ++i) {
      test::NatsServerConfig config;
      config.more = "server_name: s" + std::to_string(i) +
                    "\ncluster { name: c, listen: 127.0.0.1:" + std::to_string(ports.at(i)) +
                    ", routes: [ " + routes + "] }";
      servers_.at(i) = std::make_unique<NatsServer>(config);
    }
  }
  NatsServer& at(std::size_t index) { return *servers_.at(index); }
  std::string url() const {
    std::string hosts;
    for (const auto& server : servers_) {
      hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(server->port());
    }
    return "nats://" + hosts + "/vibes?replicas=3";
  }

 private:
  std::array<std::unique_ptr<NatsServer>, kServers> servers_;
};

}  // namespace

TEST_CASE("NatsStream: in a cluster, appends that were acknowledged survive any one server",
          "[eventlog][nats][cluster]") {
  constexpr std::uint64_t kEach = 20;
  Cluster cluster;
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
    }
    ++appended;
  };
  for (std::size_t i = 0; i < kServers; ++i) {
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
