// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vibes {

/// What to run, and how. Nothing but `command` is ever read by a shell.
struct ChildOptions {
  enum class Group : std::uint8_t {
    own,   // killed whole, with all it started
    ours,  // a terminal's ^C reaches it too; only the command itself is ended
  };
  enum class Output : std::uint8_t { inherit, discard, capture };
  using Environment = std::vector<std::pair<std::string, std::string>>;

  std::string command;           // for /bin/sh -c
  std::string_view input = {};   // all of its stdin; borrowed for start() only
  Environment environment = {};  // beside ours, and in place of what has the same name there
  Group group = Group::own;
  Output out = Output::inherit;
  Output err = Output::inherit;
  std::size_t out_bytes_max = 0;  // captured; who prints more is killed
  std::size_t err_bytes_max = 0;  // captured; the rest is read and dropped
};

/// How a child ended.
struct ChildEnd {
  enum class Kind : std::uint8_t {
    exited,     // `number` is the exit status
    signalled,  // `number` is the signal
    too_slow,   // and killed
    too_much,   // printed, and killed
    stopped,    // killed, because the wait was to end
  };
  Kind kind = Kind::exited;
  int number = 0;
  std::string out;
  std::string err;

  [[nodiscard]] bool succeeded() const { return kind == Kind::exited && number == 0; }
};

/// "exit status 3", for a person.
std::string to_string(const ChildEnd& end);

/// A command run by sh, with every signal as a fresh program expects it and none of our
/// descriptors but its three. Its input is a file in memory: unlike a pipe it takes any size, and a
/// command that does not read it harms nobody. Belongs to one thread at a time; starting is safe
/// beside other threads.
class ChildProcess {
 public:
  /// Errors: of the system, where there is no room for another process or descriptor.
  static Result<ChildProcess> start(const ChildOptions& options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Ends it if it is still running, and waits: kills a group of its own, terminates (SIGTERM) a
  /// command in ours.
  ~ChildProcess();

  struct Wait {
    std::chrono::milliseconds within;
    int stop_fd = -1;  // readable: it is to end now
  };
  /// Waits for its end, reading what is captured, and brings the end about where it does not come.
  /// Once; not after poll() has told the end.
  ChildEnd wait(const Wait& wait);

  /// The exit code, or 128+n if signal n killed it; nothing while it runs. Never waits. Its death
  /// is announced by SIGCHLD. Not with captured output, which would not be read.
  std::optional<int> poll();

 private:
  struct Captured {
    UniqueFd fd;  // not blocking
    std::size_t bytes_max = 0;
    std::string text;
    bool overflowed = false;
    void take();
  };
  ChildProcess(pid_t pid, ChildOptions::Group group) : pid_(pid), group_(group) {}
  std::optional<ChildEnd::Kind> watch(const Wait& wait);
  void end_it(int signal) const;
  int reap();

  pid_t pid_ = -1;
  ChildOptions::Group group_;
  Captured out_;
  Captured err_;
};

}  // namespace vibes
