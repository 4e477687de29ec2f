// SPDX-License-Identifier: MIT
#include "net/listener.hpp"

#include <array>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace vibes::net {
namespace {

TEST_CASE("parse_listen_address: loopback addresses with a port", "[net]") {
  const auto v4 = parse_listen_address("127.0.0.1:7432");
  REQUIRE(v4);
  CHECK(v4->host == "127.0.0.1");
  CHECK(v4->port == 7432);
  CHECK(parse_listen_address("127.1.2.3:0")->host == "127.1.2.3");
  CHECK(parse_listen_address("[::1]:65535")->host == "::1");
  CHECK(parse_listen_address("localhost:1")->host == "127.0.0.1");
  CHECK(parse_listen_address(":1")->host == "127.0.0.1");
}

TEST_CASE("parse_listen_address: nothing that other machines could reach", "[net]") {
  for (const char* text : {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "[fe80::1]:1", "example.org:1",
                           "[::ffff:127.0.0.1]:1"}) {
    INFO(text);
    const auto refused = parse_listen_address(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().context.find("TLS") != std::string::npos);
  }
}

TEST_CASE("parse_listen_address: what cannot be understood is refused", "[net]") {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:1x", "::1:80", "127.0.0.1: 1"}) {
    INFO(text);
    CHECK_FALSE(parse_listen_address(text));
  }
}

TEST_CASE("listen_tcp: port 0 becomes a free one, and a live listener is not shared", "[net]") {
  ListenAddress address{"127.0.0.1", 0};
  const auto first = listen_tcp(address);
  REQUIRE(first);
  CHECK(address.port != 0);
  const auto second = listen_tcp(address);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == std::errc::address_in_use);
}

TEST_CASE("listen_tcp: what is sent is not paced, whatever the machine's default", "[net]") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    ListenAddress address{host, 0};
    const auto listener = listen_tcp(address);
    REQUIRE(listener);
    std::array<char, 16> name{};
    socklen_t size = name.size();
    REQUIRE(::getsockopt(listener->get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) == 0);
    CHECK(std::string_view(name.data()) == "reno");
  }
}

TEST_CASE("listen_unix: private, and a dead server's socket is replaced", "[net]") {
  const test::TempDir dir;
  const auto path = dir.path() / "run" / "vibes.sock";
  {
    const auto first = listen_unix(path);
    REQUIRE(first);
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    CHECK(S_ISSOCK(status.st_mode));
    CHECK((status.st_mode & 0777U) == 0600U);
    REQUIRE(::lstat(path.parent_path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0700U);
    const auto second = listen_unix(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == std::errc::address_in_use);
  }
  CHECK(listen_unix(path));
}

TEST_CASE("listen_unix: what is no socket is left alone", "[net]") {
  const test::TempDir dir;
  const auto path = dir.path() / "precious";
  std::ofstream(path) << "mine";
  const auto refused = listen_unix(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == std::errc::file_exists);
  CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("listen_unix: a path that is too long is refused", "[net]") {
  const test::TempDir dir;
  const auto refused = listen_unix(dir.path() / std::string(120, 'x'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == std::errc::filename_too_long);
}

}  // namespace
}  // namespace vibes::net
