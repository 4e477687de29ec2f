// SPDX-License-Identifier: MIT
#include "net/auth.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <sys/stat.h>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace vibes::net {
namespace {

void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
}

TEST_CASE("Token: one is made at the first start and found at the next", "[net][auth]") {
  const test::TempDir dir;
  const auto path = dir.path() / "token";
  const auto made = Token::load_or_create(path);
  REQUIRE(made);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600U);
  CHECK(made->text().size() == 43);
  const auto found = Token::load_or_create(path);
  REQUIRE(found);
  CHECK(found->text() == made->text());
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("Token: no two are the same", "[net][auth]") {
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const test::TempDir dir;
    seen.insert(Token::load_or_create(dir.path() / "token")->text());
  }
  CHECK(seen.size() == 20);
}

TEST_CASE("Token: only the whole token matches", "[net][auth]") {
  const test::TempDir dir;
  const auto token = Token::load_or_create(dir.path() / "token");
  const std::string text = token->text();
  CHECK(token->matches(text));
  CHECK_FALSE(token->matches(""));
  CHECK_FALSE(token->matches(text.substr(1)));
  CHECK_FALSE(token->matches(text + "x"));
  CHECK_FALSE(token->matches(text + std::string(1, '\0')));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    CHECK_FALSE(token->matches(wrong));
  }
}

TEST_CASE("Token: a file that is not private or no token is refused and left alone",
          "[net][auth]") {
  const test::TempDir dir;
  const auto path = dir.path() / "token";
  const std::string good(43, 'A');
  SECTION("others can read it") {
    write(path, good + "\n");
    ::chmod(path.c_str(), 0640);
  }
  SECTION("too short") { write(path, "secret\n"); }
  SECTION("empty") { write(path, ""); }
  SECTION("not base64url") { write(path, std::string(43, '=') + "\n"); }
  SECTION("too long") { write(path, good + good); }
  SECTION("a link") {
    write(dir.path() / "elsewhere", good + "\n");
    std::filesystem::create_symlink(dir.path() / "elsewhere", path);
  }
  SECTION("a directory") { std::filesystem::create_directory(path); }
  CHECK_FALSE(Token::load_or_create(path));
  CHECK(std::filesystem::symlink_status(path).type() != std::filesystem::file_type::not_found);
}

TEST_CASE("shown_token: the header, or the subprotocol of a browser", "[net][auth]") {
  RequestHead head;
  CHECK(shown_token(head).empty());
  head.authorization = "Basic abc";
  CHECK(shown_token(head).empty());
  for (const char* offer : {"vibes.v1, token.abc", "vibes.v1,token.abc", "token.abc, vibes.v1",
                            "token.abc", "vibes.v1,  token.abc "}) {
    INFO(offer);
    head.subprotocols = offer;
    CHECK(shown_token(head) == "abc");
  }
  for (const char* offer : {"vibes.v1", "xtoken.abc", ",", ", ,", "token"}) {
    INFO(offer);
    head.subprotocols = offer;
    CHECK(shown_token(head).empty());
  }
  head.authorization = "Bearer xyz";
  CHECK(shown_token(head) == "xyz");
}

}  // namespace
}  // namespace vibes::net
