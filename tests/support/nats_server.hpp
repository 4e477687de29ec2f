// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <thread>

#include "base/unique_fd.hpp"
#include "support/temp_dir.hpp"

namespace vibes::test {

struct NatsServerConfig {
  enum class JetStream { on, off };
  std::string user;  // empty: whoever comes
  std::string password;
  std::size_t max_payload = 0;  // 0: the server's default, 1 MiB
  std::string more;             // lines for its configuration file
  JetStream jetstream = JetStream::on;
};

/// A real nats-server with JetStream ($VIBES_NATS_SERVER, else the one on $PATH), a child of ours
/// on a port of 127.0.0.1 that nobody else has, with a directory of its own. It dies with us. All
/// functions end the test program where the server does not do what they say. One thread at a time.
class NatsServer {
 public:
  /// Returns when the server is ready.
  explicit NatsServer(NatsServerConfig config = {});
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;
  ~NatsServer() { kill(); }

  /// SIGTERM, and waits for the end.
  void stop() { end(kTerm); }
  /// kill -9, and waits for the end.
  void kill() { end(kKill); }
  /// It keeps its connections and says nothing (SIGSTOP), until resume().
  void pause() const;
  void resume() const;
  /// On the same port and directory, after one of them.
  void start_again();
  /// Other settings for the next start.
  void set_config(NatsServerConfig config) { config_ = std::move(config); }

  [[nodiscard]] bool is_running() const { return pid_ > 0; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// "nats://127.0.0.1:PORT" and what is given to follow: "/vibes?replicas=3".
  [[nodiscard]] std::string url(std::string_view rest = "/vibes") const;

 private:
  static constexpr int kTerm = 15;
  static constexpr int kKill = 9;
  void launch();
  void write_config() const;
  void end(int signal);
  static void read_output(int fd, std::promise<std::uint16_t> ready);
  [[nodiscard]] std::filesystem::path config_file() const { return directory_.path() / "conf"; }

  NatsServerConfig config_;
  TempDir directory_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
  UniqueFd output_;
  std::thread reader_;
};

}  // namespace vibes::test
