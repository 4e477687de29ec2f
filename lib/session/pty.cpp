// SPDX-License-Identifier: MIT
#include "session/pty.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <utility>
#include <vector>

// glibc 2.36 forgot that its header may be read by C++.
extern "C" {
#include <sys/pidfd.h>
}

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include "session/child.hpp"
#include "session/errc.hpp"

namespace vibes::session {

namespace {

// exec needs microseconds; a cwd on a dead network mount could take for ever.
constexpr int kExecWithinMs = 2'000;

winsize to_winsize(TerminalSize size) {
  winsize converted{};
  converted.ws_col = static_cast<unsigned short>(size.cols);
  converted.ws_row = static_cast<unsigned short>(size.rows);
  return converted;
}

/// What the child reported before its exec; nothing if the exec worked.
std::optional<ChildFailure> wait_for_exec(int fd) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&wait, 1, kExecWithinMs);
  } while (ready < 0 && errno == EINTR);
  ChildFailure failure{};
  if (ready > 0 && ::read(fd, &failure, sizeof failure) == sizeof failure) {
    return failure;
  }
  return std::nullopt;
}

Unexpected failed(const ChildFailure& failure, const ChildImage& image) {
  const std::string reason = std::generic_category().message(failure.error);
  if (failure.step == ChildFailure::Step::enter_cwd) {
    return fail(Errc::bad_cwd, image.cwd + ": " + reason);
  }
  return fail(Errc::bad_command, image.program + ": " + reason);
}

void end_child(pid_t pid) {
  (void)::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// No signal of ours may be handled in the child before it has put the handlers back.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { (void)pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

Result<Pty> Pty::spawn(const ChildImage& image, TerminalSize size) {
  const ExecArguments arguments(image);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(Errc::spawn_failed, "pipe: " + std::generic_category().message(errno));
  }
  const UniqueFd report_read(ends[0]);
  UniqueFd report_write(ends[1]);
  if (report_write.get() <= STDERR_FILENO) {
    // A daemon started without stdio: the child's terminal takes these three numbers.
    report_write.reset(::fcntl(report_write.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  }
  const winsize window = to_winsize(size);
  int master_fd = -1;
  pid_t pid = -1;
  {
    const AllSignalsBlocked blocked;
    pid = ::forkpty(&master_fd, nullptr, nullptr, &window);
    if (pid == 0) {
      become_program(arguments, report_write.get());
    }
  }
  if (pid < 0) {
    return fail(Errc::spawn_failed, "forkpty: " + std::generic_category().message(errno));
  }
  UniqueFd master(master_fd);
  report_write.reset();
  UniqueFd pidfd(::pidfd_open(pid, 0));
  if (!pidfd || ::fcntl(master.get(), F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    const int error = errno;
    end_child(pid);
    return fail(Errc::spawn_failed, "pidfd_open: " + std::generic_category().message(error));
  }
  if (const auto failure = wait_for_exec(report_read.get())) {
    end_child(pid);
    return failed(*failure, image);
  }
  return Pty(std::move(master), std::move(pidfd), pid);
}

Pty::Read Pty::read(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::read(master_.get(), into.data(), into.size());
    if (got > 0) {
      return {.kind = Read::Kind::data, .bytes = static_cast<std::size_t>(got)};
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    const bool later = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return {.kind = later ? Read::Kind::nothing_yet : Read::Kind::no_writer, .bytes = 0};
  }
}

std::size_t Pty::write(std::string_view bytes) {
  for (;;) {
    const ssize_t put = ::write(master_.get(), bytes.data(), bytes.size());
    if (put >= 0) {
      return static_cast<std::size_t>(put);
    }
    if (errno != EINTR) {
      // EAGAIN: the terminal is full. EIO: nobody is there to read; the child's end will tell.
      return 0;
    }
  }
}

Result<void> Pty::resize(TerminalSize size) {
  const winsize window = to_winsize(size);
  if (::ioctl(master_.get(), TIOCSWINSZ, &window) != 0) {
    return fail_errno("TIOCSWINSZ");
  }
  return {};
}

void Pty::signal_groups(int signal) {
  const pid_t foreground = ::tcgetpgrp(master_.get());
  if (foreground > 1 && foreground != pid_) {
    (void)::kill(-foreground, signal);
  }
  (void)::kill(-pid_, signal);
}

void Pty::ask_to_repaint() {
  const pid_t foreground = ::tcgetpgrp(master_.get());
  if (foreground > 1) {
    (void)::kill(-foreground, SIGWINCH);
  }
}

void Pty::hang_up() {
  signal_groups(SIGHUP);
  signal_groups(SIGCONT);
}

void Pty::kill() { signal_groups(SIGKILL); }

bool Pty::group_alive() const { return ::kill(-pid_, 0) == 0 || errno == EPERM; }

std::optional<SessionEnd> Pty::reap() {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  if (info.si_code == CLD_EXITED) {
    return SessionEnd{.exit_code = info.si_status, .signal = {}};
  }
  return SessionEnd{.exit_code = {}, .signal = info.si_status};
}

}  // namespace vibes::session
