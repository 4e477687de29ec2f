// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "session/child_image.hpp"

namespace vibes::session {

/// A ChildImage as execve() wants it, ready before the fork. Borrows the image, which must outlive
/// it.
class ExecArguments {
 public:
  explicit ExecArguments(const ChildImage& image);

  [[nodiscard]] const char* program() const { return image_.program.c_str(); }
  [[nodiscard]] const char* cwd() const { return image_.cwd.c_str(); }
  [[nodiscard]] mode_t umask() const { return image_.umask; }
  [[nodiscard]] char* const* argv() const { return argv_.data(); }
  [[nodiscard]] char* const* environment() const { return environment_.data(); }

 private:
  const ChildImage& image_;
  std::vector<char*> argv_;  // both end with a nullptr
  std::vector<char*> environment_;
};

/// What the child writes into the report pipe if it cannot become its program.
struct ChildFailure {
  enum class Step : int { enter_cwd = 1, execute = 2 };
  Step step = Step::execute;
  int error = 0;
};

/// What happens between fork and exec, with async-signal-safe calls only: default signal handlers,
/// nothing blocked, the umask, UTF-8 line editing, the cwd, no descriptor but the terminal's three.
/// `report_fd` closes with the exec.
[[noreturn]] void become_program(const ExecArguments& arguments, int report_fd) noexcept;

}  // namespace vibes::session
