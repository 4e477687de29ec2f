// SPDX-License-Identifier: MIT
#include "client/endpoint.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <stdlib.h>

#include "client/errc.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using vibes::client::Endpoint;
using vibes::client::find_target;
using vibes::client::parse_endpoint;
using vibes::client::read_token;

namespace {

std::string url_of(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  return endpoint ? endpoint->url() : "refused";
}

void write(const std::filesystem::path& file, std::string_view text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("endpoint: every spelling of a server is understood", "[client][endpoint]") {
  CHECK(url_of("http://127.0.0.1:7000") == "http://127.0.0.1:7000");
  CHECK(url_of("ws://localhost:7000/") == "http://localhost:7000");
  CHECK(url_of("http://host") == "http://host:7432");
  CHECK(url_of("https://host") == "https://host:443");
  CHECK(url_of("wss://host:1") == "https://host:1");
  CHECK(url_of("http://[::1]:7000") == "http://[::1]:7000");
  CHECK(url_of("127.0.0.1:7000") == "http://127.0.0.1:7000");
  CHECK(url_of("unix:/run/x.sock") == "unix:/run/x.sock");
  CHECK(url_of("unix:///run/x.sock") == "unix:/run/x.sock");
}

TEST_CASE("endpoint: what is no server is refused", "[client][endpoint]") {
  for (const char* url :
       {"", "ftp://x", "http://", "http://h:0", "http://h:65536", "http://h:x", "http://h:1/path",
        "http://user:pw@h", "http://[::1", "http://[::1]x", "unix:", "http://h?q"}) {
    INFO(url);
    CHECK(url_of(url) == "refused");
  }
}

TEST_CASE("target: flags win over the environment, the environment over what is found",
          "[client][endpoint]") {
  const vibes::test::TempDir dir;
  const std::filesystem::path root = dir.path();
  REQUIRE(::setenv("XDG_RUNTIME_DIR", root.c_str(), 1) == 0);
  REQUIRE(::setenv("XDG_STATE_HOME", root.c_str(), 1) == 0);
  REQUIRE(::setenv("HOME", root.c_str(), 1) == 0);
  REQUIRE(::unsetenv("VIBES_URL") == 0);
  REQUIRE(::unsetenv("VIBES_TOKEN_FILE") == 0);

  CHECK(find_target({}, {})->endpoint.url() == "http://127.0.0.1:7432");
  CHECK(find_target({}, {})->token.empty());

  write(root / "vibes" / "vibes.sock", "");
  write(root / "vibes" / "token", "secret\n");
  CHECK(find_target({}, {})->endpoint.url() == "unix:" + (root / "vibes/vibes.sock").string());
  CHECK(find_target({}, {})->token == "secret");

  write(root / "env-token", "from-env");
  REQUIRE(::setenv("VIBES_URL", "http://h:1", 1) == 0);
  REQUIRE(::setenv("VIBES_TOKEN_FILE", (root / "env-token").c_str(), 1) == 0);
  CHECK(find_target({}, {})->endpoint.url() == "http://h:1");
  CHECK(find_target({}, {})->token == "from-env");

  write(root / "flag-token", " from-flag \n");
  CHECK(find_target("http://h:2", root / "flag-token")->endpoint.url() == "http://h:2");
  CHECK(find_target("http://h:2", root / "flag-token")->token == "from-flag");
  CHECK_FALSE(find_target({}, root / "missing"));
  REQUIRE(::unsetenv("VIBES_URL") == 0);
  REQUIRE(::unsetenv("VIBES_TOKEN_FILE") == 0);
}

TEST_CASE("token: a file without one is refused", "[client][endpoint]") {
  const vibes::test::TempDir dir;
  const std::filesystem::path file = std::filesystem::path(dir.path()) / "token";
  for (const std::string& text : {std::string(), std::string(" \n"), std::string("a\nb"),
                                  std::string("a\0b", 3), std::string(5'000, 'x')}) {
    write(file, text);
    CHECK_FALSE(read_token(file));
  }
}
