// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"

namespace vibes::verify {

/// What to start.
struct ServerOptions {
  std::filesystem::path program;
  /// Home of the server's XDG directories, its socket, token, log and stderr. Made if missing.
  std::filesystem::path root;
  std::string log;                     // an engine's URL; empty: a file log below `root`
  std::vector<std::string> arguments;  // more of them
};

/// The vibes-server to start: $VIBES_SERVER, else the one beside this program, else the first on
/// $PATH. Errors: Errc::server_not_found.
Result<std::filesystem::path> find_server_program();

/// Another program of ours, `name`: beside this program, beside `server`, or the first on $PATH.
/// Errors: Errc::program_not_found.
Result<std::filesystem::path> find_program(const std::string& name,
                                           const std::filesystem::path& server);

/// How a process ended: its exit code, or the signal that killed it.
struct ExitStatus {
  int code = -1;   // -1: killed
  int signal = 0;  // 0: exited
};
std::string to_string(const ExitStatus& status);

/// One real vibes-server, started as a child of ours on a free port of 127.0.0.1 and with private
/// directories. It dies with us, whatever happens to us. One thread at a time.
class ServerProcess {
 public:
  /// Returns when the server is ready. Errors: Errc::server_failed with the end of its stderr.
  static Result<ServerProcess> start(ServerOptions options, client::Deadline deadline);
  ServerProcess(ServerProcess&&) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  /// Kills it if it still runs, and reaps it.
  ~ServerProcess();

  /// SIGTERM, and waits for the end. Past the deadline it is killed and Errc::timeout returned.
  Result<ExitStatus> stop(client::Deadline deadline);
  /// kill -9.
  Result<ExitStatus> kill();
  /// Starts it again on the same port and directories. Not while it runs.
  Result<void> start_again(client::Deadline deadline);

  [[nodiscard]] bool is_running() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const ServerOptions& options() const { return options_; }
  [[nodiscard]] const client::Target& target() const { return target_; }
  /// That of the server. Programs that run in it find this server by themselves.
  [[nodiscard]] std::vector<std::string> environment() const;
  /// Of a file log.
  [[nodiscard]] std::filesystem::path log_directory() const;
  /// The last lines of everything the server has written to stderr, at most `bytes` of them.
  [[nodiscard]] std::string stderr_tail(std::size_t bytes = 4'000) const;
  /// How long the last start took, from fork to ready.
  [[nodiscard]] std::chrono::milliseconds start_took() const { return start_took_; }

  /// Resident memory. Nothing where /proc does not say.
  [[nodiscard]] std::optional<std::uint64_t> rss_bytes() const;
  /// Whether it was built with a sanitizer, under which memory is not comparable.
  [[nodiscard]] bool is_sanitized() const;

 private:
  explicit ServerProcess(ServerOptions options) : options_(std::move(options)) {}
  Result<void> launch(const std::string& listen, client::Deadline deadline);
  Result<void> make_directories() const;
  Result<void> read_token();
  Result<ExitStatus> wait_for_end(client::Deadline deadline);

  ServerOptions options_;
  client::Target target_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::chrono::milliseconds start_took_{0};
};

}  // namespace vibes::verify
