// SPDX-License-Identifier: MIT
#include "cli/screen_modes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vibes::cli {
namespace {

/// The modes that matter to a shell that comes after, but for the cursor's (25) all off at first.
constexpr unsigned kCursor = 25;
constexpr std::array<unsigned, 14> kKnown{1,    kCursor, 47,   1000, 1002, 1003, 1004,
                                          1005, 1006,    1015, 1047, 1048, 1049, 2004};
/// Longer ones are no mode sequences.
constexpr std::size_t kNumbersMax = 64;

}  // namespace

void ScreenModes::follow(std::string_view output) {
  for (const char c : output) {
    step(c);
  }
}

void ScreenModes::step(char c) {
  constexpr char kEscape = '\x1b';
  if (c == kEscape) {
    state_ = State::escape;
    numbers_.clear();
    return;
  }
  switch (state_) {
    case State::text:
      return;
    case State::escape:
      state_ = c == '[' ? State::bracket : State::text;
      if (c == 'c') {
        *this = ScreenModes();
      } else if (c == '=' || c == '>') {
        keypad_ = c == '=';
      }
      return;
    case State::bracket:
    case State::numbers:
      if (c >= '@' && c <= '~') {
        end_of_sequence(c);
        state_ = State::text;
      } else if (numbers_.size() < kNumbersMax) {
        numbers_ += c;
        state_ = State::numbers;
      } else {
        state_ = State::text;
      }
      return;
  }
}

void ScreenModes::end_of_sequence(char final) {
  if (final == 'm') {
    styled_ = !numbers_.empty() && numbers_ != "0";
    return;
  }
  if ((final != 'h' && final != 'l') || !numbers_.starts_with('?')) {
    return;
  }
  std::string_view rest = std::string_view(numbers_).substr(1);
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find(';'));
    unsigned mode = 0;
    (void)std::from_chars(word.data(), word.data() + word.size(), mode);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (std::find(kKnown.begin(), kKnown.end(), mode) == kKnown.end()) {
      continue;
    }
    if ((final == 'h') == (mode != kCursor)) {
      changed_.insert(mode);
    } else {
      changed_.erase(mode);
    }
  }
}

std::string ScreenModes::undo() const {
  std::string text;
  for (const unsigned mode : changed_) {
    text += "\x1b[?" + std::to_string(mode) + (mode == kCursor ? "h" : "l");
  }
  text += keypad_ ? "\x1b>" : "";
  text += styled_ ? "\x1b[0m" : "";
  return text;
}

}  // namespace vibes::cli
