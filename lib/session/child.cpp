// SPDX-License-Identifier: MIT
#include "session/child.hpp"

#include <cerrno>
#include <csignal>
#include <linux/close_range.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace vibes::session {

namespace {

constexpr int kReportFd = 3;  // the first after the terminal's

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& text : strings) {
    // execve() takes char* for historical reasons and does not write.
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void report(ChildFailure::Step step, int report_fd) noexcept {
  const ChildFailure failure{.step = step, .error = errno};
  (void)!::write(report_fd, &failure, sizeof failure);
  ::_exit(127);
}

void reset_signals() noexcept {
  struct sigaction normal {};
  normal.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    (void)::sigaction(signal, &normal, nullptr);  // SIGKILL and SIGSTOP refuse, as they should
  }
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void edit_lines_as_utf8() noexcept {
  termios settings{};
  if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
    settings.c_iflag |= IUTF8;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  }
}

int keep_only_report(int report_fd) noexcept {
  if (report_fd != kReportFd) {
    (void)::dup3(report_fd, kReportFd, O_CLOEXEC);
  }
  (void)::close_range(kReportFd + 1, ~0U, 0);
  return kReportFd;
}

}  // namespace

ExecArguments::ExecArguments(const ChildImage& image)
    : image_(image), argv_(pointers(image.argv)), environment_(pointers(image.environment)) {}

void become_program(const ExecArguments& arguments, int report_fd) noexcept {
  reset_signals();
  (void)::umask(arguments.umask());
  edit_lines_as_utf8();
  const int kept = keep_only_report(report_fd);
  if (::chdir(arguments.cwd()) != 0) {
    report(ChildFailure::Step::enter_cwd, kept);
  }
  ::execve(arguments.program(), arguments.argv(), arguments.environment());
  report(ChildFailure::Step::execute, kept);
}

}  // namespace vibes::session
