// SPDX-License-Identifier: MIT
#include "cli/term.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace vibes::cli;

TEST_CASE("term: what could drive a terminal is made visible", "[cli][term]") {
  CHECK(escaped("plain äöü 漢字 🙂") == "plain äöü 漢字 🙂");
  CHECK(escaped("a\x1b[31mred") == "a\\x1b[31mred");
  CHECK(escaped("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(escaped(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(escaped("\x7f") == "\\x7f");
  CHECK(escaped("\xc2\x9b"
                "31m") == "\\x9b31m");  // C1 CSI
  CHECK(escaped("a\xe2\x80\xae"
                "b") == "a\\u{202e}b");  // right-to-left override
}

TEST_CASE("term: bytes that are no UTF-8 are made visible", "[cli][term]") {
  CHECK(escaped("\xff") == "\\xff");
  CHECK(escaped("\xc3") == "\\xc3");
  CHECK(escaped("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(escaped("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(escaped("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("term: columns are counted as a terminal shows them", "[cli][term]") {
  CHECK(display_columns("abc") == 3);
  CHECK(display_columns("äöü") == 3);
  CHECK(display_columns("漢字") == 4);
  CHECK(display_columns("e\xcc\x81") == 1);  // combining accent
}

TEST_CASE("term: text is cut to fit and says so", "[cli][term]") {
  const auto fitted = [](std::string text, std::size_t columns) {
    fit_columns(text, columns);
    return text;
  };
  CHECK(fitted("abc", 3) == "abc");
  CHECK(fitted("abcd", 3) == "ab…");
  CHECK(fitted("漢字漢", 5) == "漢字…");
  CHECK(fitted("漢字漢", 4) == "漢…");
  CHECK(fitted("abc", 1) == "…");
  CHECK(fitted("abc", 0).empty());
  CHECK(fitted("", 0).empty());
}

TEST_CASE("term: colour is for terminals, unless asked for", "[cli][term]") {
  const vibes::UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  CHECK_FALSE(wants_color(Color::automatic, file.get()));
  CHECK(wants_color(Color::always, file.get()));
  CHECK_FALSE(wants_color(Color::never, file.get()));

  const vibes::UniqueFd terminal(::posix_openpt(O_RDWR | O_NOCTTY));
  REQUIRE(terminal);
  REQUIRE(::setenv("TERM", "xterm", 1) == 0);
  REQUIRE(::unsetenv("NO_COLOR") == 0);
  CHECK(wants_color(Color::automatic, terminal.get()));
  REQUIRE(::setenv("NO_COLOR", "1", 1) == 0);
  CHECK_FALSE(wants_color(Color::automatic, terminal.get()));
  CHECK(wants_color(Color::always, terminal.get()));
  REQUIRE(::unsetenv("NO_COLOR") == 0);
  REQUIRE(::setenv("TERM", "dumb", 1) == 0);
  CHECK_FALSE(wants_color(Color::automatic, terminal.get()));
}
