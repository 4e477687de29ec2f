// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace vibes::cli {

/// Follows what a full-screen program does to a terminal, so that whoever leaves in the middle of
/// it can undo it: the alternate screen, a hidden cursor, the mouse, bracketed paste, keypad and
/// colours. Knows the sequences ESC [ ? N;… h and l, ESC = and >, and ESC c (reset).
class ScreenModes {
 public:
  /// What the program wrote, in any pieces.
  void follow(std::string_view output);
  /// What puts the terminal back, empty if nothing is left to undo but colours that may be set.
  [[nodiscard]] std::string undo() const;

 private:
  enum class State : std::uint8_t { text, escape, bracket, numbers };
  void step(char c);
  void end_of_sequence(char final);

  State state_ = State::text;
  std::string numbers_;
  std::set<unsigned> changed_;  // modes that are not as a terminal has them at first
  bool keypad_ = false;
  bool styled_ = false;
};

}  // namespace vibes::cli
