// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::cli {

/// What a program says to a person, on stderr, one line each: "vibesctl: error: …", "vibesctl:
/// hint: …". The texts start small and have no full stop; control characters in them are escaped.
/// One thread at a time.
class Report {
 public:
  enum class Verbosity : std::uint8_t { quiet, normal };

  /// `out` must outlive this.
  Report(std::string program, std::ostream& out) : program_(std::move(program)), out_(out) {}

  void set_verbosity(Verbosity verbosity) { verbosity_ = verbosity; }
  [[nodiscard]] bool is_quiet() const { return verbosity_ == Verbosity::quiet; }
  [[nodiscard]] const std::string& program() const { return program_; }

  void error(std::string_view text) { line("error: ", text); }
  void error(const Error& error) { this->error(error.message()); }
  /// What to do about the error just reported.
  void hint(std::string_view text) { line("hint: ", text); }
  void warning(std::string_view text) { line("warning: ", text); }
  /// Progress and other news, which -q silences.
  void note(std::string_view text);

 private:
  void line(std::string_view kind, std::string_view text);

  std::string program_;
  std::ostream& out_;
  Verbosity verbosity_ = Verbosity::normal;
};

}  // namespace vibes::cli
