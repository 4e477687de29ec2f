// SPDX-License-Identifier: MIT
#include "cli/screen_modes.hpp"

#include "support/catch.hpp"

using vibes::cli::ScreenModes;

namespace {

/// What is left to undo, the same however the output is cut into pieces.
std::string undo_of(std::string_view output) {
  ScreenModes whole;
  whole.follow(output);
  ScreenModes pieces;
  for (const char c : output) {
    pieces.follow({&c, 1});
  }
  CHECK(whole.undo() == pieces.undo());
  return whole.undo();
}

}  // namespace

TEST_CASE("screen modes: what was set is undone, and nothing else", "[cli][terminal]") {
  CHECK(undo_of("").empty());
  CHECK(undo_of("hello\r\n\x1b[2J\x1b[3;4H").empty());
  CHECK(undo_of("\x1b[?1049h") == "\x1b[?1049l");
  CHECK(undo_of("\x1b[?1049h text \x1b[?1049l").empty());
  CHECK(undo_of("\x1b[?25l") == "\x1b[?25h");
  CHECK(undo_of("\x1b[?25l\x1b[?25h").empty());
  CHECK(undo_of("\x1b[?1000;1006h") == "\x1b[?1000l\x1b[?1006l");
  CHECK(undo_of("\x1b=") == "\x1b>");
  CHECK(undo_of("\x1b=\x1b>").empty());
  CHECK(undo_of("\x1b[1;31mred") == "\x1b[0m");
  CHECK(undo_of("\x1b[1;31mred\x1b[0m").empty());
  CHECK(undo_of("\x1b[31mred\x1b[m").empty());
  CHECK(undo_of("\x1b[?7l\x1b[?9999h\x1b[4h").empty());  // no mode that we would know how to undo
}

TEST_CASE("screen modes: a reset undoes everything", "[cli][terminal]") {
  CHECK(undo_of("\x1b[?1049h\x1b[?25l\x1b[1m\x1b=\x1b"
                "c")
            .empty());
}

TEST_CASE("screen modes: nonsense in between changes nothing", "[cli][terminal]") {
  CHECK(undo_of("\x1b\x1b[?25l") == "\x1b[?25h");
  CHECK(undo_of("\x1b[?25\x1b[?1000h") == "\x1b[?1000l");
  CHECK(undo_of("\x1b[" + std::string(1'000, '1') + "h").empty());
  CHECK(undo_of("\x1b]0;title [?25l\x07").empty());
  CHECK(undo_of("\x1b[?;;h\x1b[?xh").empty());
}
