// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <sys/types.h>
#include <thread>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/iggy/server_process.hpp"

namespace vibes::eventlog::iggy {

/// An Iggy server of our own: on this machine, for us alone, with its data in a directory of ours.
/// It listens on free ports of the loopback interface, saves each message before it answers, is
/// started again when it dies, and ends with us, also when we are killed. Thread-safe.
///
///   DIR/lock                held by whoever runs it
///   DIR/credentials         user and password, made once, mode 0600
///   DIR/iggy                its data
///   DIR/iggy-server.output  what it printed since it was started last
class IggyServer {
 public:
  /// Finds the program ($IGGY_SERVER, else iggy-server in $PATH), looks whether it can run here and
  /// takes the directory (absolute, made if missing). Starts nothing. Errors: not_supported,
  /// no_such_file_or_directory (the program), Errc::locked, the I/O error.
  static Result<std::unique_ptr<IggyServer>> make(const std::string& directory);
  IggyServer(const IggyServer&) = delete;
  IggyServer& operator=(const IggyServer&) = delete;
  ~IggyServer() { stop(); }

  /// Starts it and waits until it answers. Once. Errors: Errc::unreachable, with what it printed.
  Result<void> start(std::chrono::milliseconds within);
  /// Ends it: SIGTERM, which saves everything, and SIGKILL for one that takes over 5 s. The
  /// directory is free after that.
  void stop();

  /// How to reach it.
  [[nodiscard]] const IggyOptions& options() const { return options_; }
  /// -1 while none runs.
  [[nodiscard]] pid_t pid() const;

 private:
  using Clockwork = std::chrono::steady_clock;

  IggyServer(std::string directory, std::string program)
      : directory_(std::move(directory)), program_(std::move(program)) {}

  Result<void> take_directory();
  Result<void> load_credentials();
  Result<void> choose_ports();
  Result<void> ask_version();
  [[nodiscard]] ServerProcess::Options process_options() const;
  [[nodiscard]] std::string last_output() const;
  [[nodiscard]] bool answers(const std::stop_token& stop) const;

  void run(const std::stop_token& stop);
  void run_once(const std::stop_token& stop);
  void end(ServerProcess& process);

  const std::string directory_;
  const std::string program_;
  UniqueFd lock_;
  IggyOptions options_;
  std::uint16_t tcp_port_ = 0;      // it has that too; nobody uses it
  bool saves_by_settings_ = false;  // 0.8: all topics alike; later each topic says so itself

  mutable Mutex mutex_;
  CondVar changed_;
  pid_t pid_ VIBES_GUARDED_BY(mutex_) = -1;
  unsigned deaths_ VIBES_GUARDED_BY(mutex_) = 0;
  std::optional<Error> trouble_ VIBES_GUARDED_BY(mutex_);
  std::jthread thread_;  // starts it and waits for it: it dies with this thread
};

}  // namespace vibes::eventlog::iggy
