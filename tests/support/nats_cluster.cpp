// SPDX-License-Identifier: MIT
#include "support/nats_cluster.hpp"

#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

#include <nats/nats.h>

#include "base/assert.hpp"
#include "base/unique_fd.hpp"

namespace vibes::test {
namespace {

/// Ports that were free a moment ago, all different.
std::array<std::uint16_t, NatsCluster::kServers> free_ports() {
  std::array<UniqueFd, NatsCluster::kServers> sockets;
  std::array<std::uint16_t, NatsCluster::kServers> ports{};
  for (std::size_t i = 0; i < ports.size(); ++i) {
    sockets.at(i).reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    VIBES_ASSERT(::bind(sockets.at(i).get(), generic, size) == 0);
    VIBES_ASSERT(::getsockname(sockets.at(i).get(), generic, &size) == 0);
    ports.at(i) = ntohs(address.sin_port);
  }
  return ports;
}

bool is_whole(jsCtx* jetstream, const std::string& stream) {
  jsStreamInfo* info = nullptr;
  if (js_GetStreamInfo(&info, jetstream, stream.c_str(), nullptr, nullptr) != NATS_OK) {
    return false;
  }
  const jsClusterInfo* cluster = info->Cluster;
  bool whole = cluster != nullptr && cluster->Leader != nullptr &&
               cluster->ReplicasLen == static_cast<int>(NatsCluster::kServers) - 1;
  for (int i = 0; whole && i < cluster->ReplicasLen; ++i) {
    whole = cluster->Replicas[i]->Current && !cluster->Replicas[i]->Offline;
  }
  jsStreamInfo_Destroy(info);
  return whole;
}

}  // namespace

NatsCluster::NatsCluster(const NatsServerConfig& config) {
  const auto ports = free_ports();
  std::string routes;
  for (const std::uint16_t port : ports) {
    routes += (routes.empty() ? "" : ", ") + ("nats://127.0.0.1:" + std::to_string(port));
  }
  for (std::size_t i = 0; i < kServers; ++i) {
    NatsServerConfig own = config;
    own.more += "\nserver_name: s" + std::to_string(i) +
                "\ncluster { name: c, listen: 127.0.0.1:" + std::to_string(ports.at(i)) +
                ", routes: [ " + routes + "] }";
    servers_.at(i) = std::make_unique<NatsServer>(std::move(own));
  }
}

void NatsCluster::wait_until_whole(const std::string& stream) const {
  natsConnection* connection = nullptr;
  jsCtx* jetstream = nullptr;
  VIBES_ASSERT(natsConnection_ConnectTo(&connection, url("").c_str()) == NATS_OK);
  VIBES_ASSERT(natsConnection_JetStream(&jetstream, connection, nullptr) == NATS_OK);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!is_whole(jetstream, stream)) {
    VIBES_ASSERT(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // between two looks
  }
  jsCtx_Destroy(jetstream);
  natsConnection_Destroy(connection);
}

std::string NatsCluster::url(std::string_view rest) const {
  std::string hosts;
  for (const auto& server : servers_) {
    hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(server->port());
  }
  return "nats://" + hosts + std::string(rest);
}

}  // namespace vibes::test
