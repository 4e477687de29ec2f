// SPDX-License-Identifier: MIT
#include "session/scrollback.hpp"

#include <string>

#include "support/catch.hpp"

namespace vibes::session {
namespace {

TEST_CASE("Scrollback: keeps the last bytes and names them by their place in the stream",
          "[session][scrollback]") {
  Scrollback scrollback(8);
  scrollback.append("abcdef");
  CHECK(scrollback.begin() == 0);
  CHECK(scrollback.copy(0, 6) == "abcdef");
  scrollback.append("ghijk");
  CHECK(scrollback.begin() == 3);
  CHECK(scrollback.end() == 11);
  CHECK(scrollback.copy(3, 11) == "defghijk");
  CHECK(scrollback.copy(5, 9) == "fghi");
}

TEST_CASE("Scrollback: takes pieces of any size, in any rhythm", "[session][scrollback]") {
  const std::size_t capacity = GENERATE(1U, 2U, 7U, 64U);
  Scrollback scrollback(capacity);
  std::string all;
  for (std::size_t i = 0; i < 200; ++i) {
    std::string piece(i % 13 == 0 ? 150 : i % 5, '\0');
    for (char& c : piece) {
      c = static_cast<char>('a' + (all.size() + i) % 26);
      all += c;
    }
    scrollback.append(piece);
    REQUIRE(scrollback.end() == all.size());
    REQUIRE(scrollback.end() - scrollback.begin() == std::min(all.size(), capacity));
    REQUIRE(scrollback.copy(scrollback.begin(), scrollback.end()) ==
            all.substr(static_cast<std::size_t>(scrollback.begin())));
  }
}

TEST_CASE("Scrollback: a cleared one goes on where it was", "[session][scrollback]") {
  Scrollback scrollback(4);
  scrollback.append("abcdef");
  scrollback.clear();
  CHECK(scrollback.begin() == 6);
  CHECK(scrollback.copy(6, 6).empty());
  scrollback.append("gh");
  CHECK(scrollback.copy(6, 8) == "gh");
}

TEST_CASE("Scrollback: a stream that was cut starts at a line", "[session][scrollback]") {
  Scrollback scrollback(14);
  scrollback.append("one\n");
  CHECK(scrollback.clean_start(0) == 0);
  scrollback.append("\x1b[31mtwo\nthree\n");
  // "\x1b[" is gone; the line after is whole.
  CHECK(scrollback.copy(scrollback.clean_start(0), scrollback.end()) == "three\n");
}

TEST_CASE("Scrollback: without a line it starts at a character", "[session][scrollback]") {
  Scrollback scrollback(4);
  scrollback.append(
      "xx\xe2\x82\xac"
      "ab");  // the first byte of the euro sign falls out
  CHECK(scrollback.copy(scrollback.clean_start(0), scrollback.end()) == "ab");
}

TEST_CASE("incomplete_utf8_tail: counts the bytes of a character that is not all there",
          "[session][scrollback]") {
  CHECK(incomplete_utf8_tail("") == 0);
  CHECK(incomplete_utf8_tail("abc") == 0);
  CHECK(incomplete_utf8_tail("\xe2\x82\xac") == 0);
  CHECK(incomplete_utf8_tail("a\xe2\x82") == 2);
  CHECK(incomplete_utf8_tail("a\xe2") == 1);
  CHECK(incomplete_utf8_tail("a\xf0\x9f\x98") == 3);
  CHECK(incomplete_utf8_tail("\xf0\x9f\x98\x80") == 0);
  CHECK(incomplete_utf8_tail("\xc3") == 1);
  CHECK(incomplete_utf8_tail("\x80\x80\x80\x80") == 0);  // not UTF-8 at all: pass it on
}

}  // namespace
}  // namespace vibes::session
