// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/unique_fd.hpp"

namespace vibes::bench {

/// What to run, and where its standard streams go; nothing of it is looked up by a shell.
struct Command {
  std::vector<std::string> words;  // the first is looked up on $PATH where it has no '/'
  /// NAME=VALUE; replaces the whole environment.
  std::vector<std::string> environment;
  std::string standard_input = "/dev/null";
  std::string standard_output = "/dev/null";
  std::string standard_error = "/dev/null";  // written from its beginning
  std::string directory = ".";               // where a Daemon runs
};

/// A server that runs beside the benchmark and dies with it. Its descriptor 3 is a pipe to us, for
/// who has something to say once ready. To be made by the main thread.
class Daemon {
 public:
  /// Ends the program with a message where it cannot be started.
  explicit Daemon(const Command& command);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  /// Asks it to end, and waits.
  ~Daemon() { stop(kTerminate); }

  /// Waits for the first line on its descriptor 3; empty where it ended without one.
  [[nodiscard]] std::string first_line() const;
  /// Waits until somebody listens on that port of 127.0.0.1. False: it ended, or nobody does within
  /// ten seconds.
  [[nodiscard]] bool await_listener(int port);
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Sends the signal and waits for the end.
  void stop(int signal);

  /// User and system time of all its threads so far.
  [[nodiscard]] double cpu_us() const;
  /// A field of /proc/PID/status that is in KiB: "VmRSS", "VmHWM" (the most it ever was).
  [[nodiscard]] double memory_kib(const std::string& field) const;

  static constexpr int kReadyFd = 3;

 private:
  static constexpr int kTerminate = 15;

  pid_t pid_ = -1;
  UniqueFd ready_;
};

/// $PATH, and for what keeps files where XDG says: folders in `directory`, which are made;
/// `sockets` is a short path.
std::vector<std::string> environment_in(const std::filesystem::path& directory,
                                        const std::filesystem::path& sockets);
/// What the file holds.
std::string contents(const std::filesystem::path& file);
/// Whether $PATH has it.
bool on_path(const std::string& program);
/// Of the loopback interface, and nobody's at this moment.
int free_port();
/// From spawn to exit, in us. Ends the program with a message where the command fails.
double run_us(const Command& command);

}  // namespace vibes::bench
