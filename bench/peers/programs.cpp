// SPDX-License-Identifier: MIT
#include "peers/programs.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <sys/socket.h>

#include "firehose/server_process.hpp"
#include "measure_options.hpp"
#include "peers/endpoint.hpp"

namespace vibes::bench {
namespace {

/// Asks for the stream and waits until it is there.
void make_stream(int port) {
  constexpr std::string_view kStream =
      R"({"name":"e","subjects":["e"],"storage":"file","retention":"limits","discard":"old",)"
      R"("num_replicas":1,"max_msgs":-1,"max_bytes":-1,"max_consumers":-1})";
  const UniqueFd fd = connect_blocking(jetstream_publish(port, ""));
  const std::string request = "PUB $JS.API.STREAM.CREATE.e _INBOX.acks " +
                              std::to_string(kStream.size()) + "\r\n" + std::string(kStream) +
                              "\r\n";
  std::string answer;
  std::array<char, 4'096> piece{};
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    die("a stream of NATS");
  }
  while (answer.find("}\r\n") == std::string::npos) {
    const ssize_t got = ::recv(fd.get(), piece.data(), piece.size(), 0);
    if (got <= 0) {
      die("a stream of NATS");
    }
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  if (answer.find(R"("error")") != std::string::npos) {
    die("a stream of NATS: " + answer);
  }
}

const char* nats_named() {
  const char* const named = std::getenv("VIBES_NATS_SERVER");
  return named != nullptr && *named != '\0' ? named : nullptr;
}

}  // namespace

std::unique_ptr<PeerProcess> start_vibes(const std::filesystem::path& directory,
                                         const std::string& program,
                                         const std::string& durability) {
  const int port = free_port();
  const std::vector<std::string> argv{program,   "--listen", "127.0.0.1:" + std::to_string(port),
                                      "--auth",  "none",     "--durability",
                                      durability};
  return std::make_unique<PeerProcess>(directory, argv, port);
}

std::unique_ptr<PeerProcess> start_redis(const std::filesystem::path& directory,
                                         const std::string& appendfsync) {
  const int port = free_port();
  const std::vector<std::string> argv{"redis-server",
                                      "--port",
                                      std::to_string(port),
                                      "--bind",
                                      "127.0.0.1",
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "yes",
                                      "--appendfsync",
                                      appendfsync,
                                      "--auto-aof-rewrite-percentage",
                                      "0"};
  return std::make_unique<PeerProcess>(directory, argv, port);
}

std::unique_ptr<PeerProcess> start_nats(const std::filesystem::path& directory) {
  const char* const named = nats_named();
  const int port = free_port();
  std::filesystem::create_directories(directory);
  const std::filesystem::path config = directory / "conf";
  std::ofstream(config) << "host: 127.0.0.1\nport: " << port << "\njetstream { store_dir: \""
                        << (directory / "store").string() << "\" }\n";
  return std::make_unique<PeerProcess>(
      directory, std::vector<std::string>{named != nullptr ? named : "nats-server", "-c", config},
      port);
}

bool has_nats() { return nats_named() != nullptr || on_path("nats-server"); }

std::unique_ptr<PeerProcess> start_jetstream(const std::filesystem::path& directory) {
  auto peer = start_nats(directory);
  make_stream(peer->port());
  return peer;
}

std::unique_ptr<PeerProcess> start_mosquitto(const std::filesystem::path& directory) {
  const int port = free_port();
  std::filesystem::create_directories(directory);
  const std::filesystem::path config = directory / "conf";
  std::ofstream(config) << "listener " << port << " 127.0.0.1\nallow_anonymous true\n"
                        << "persistence false\nset_tcp_nodelay true\n";
  return std::make_unique<PeerProcess>(directory,
                                       std::vector<std::string>{"mosquitto", "-c", config}, port);
}

std::unique_ptr<PeerProcess> start_raw_reference(const std::filesystem::path& directory) {
  const int port = free_port();
  return std::make_unique<PeerProcess>(
      directory,
      std::vector<std::string>{beside_us("raw_reference"), std::to_string(port), "events"}, port);
}

}  // namespace vibes::bench
