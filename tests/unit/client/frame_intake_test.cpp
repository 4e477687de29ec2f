// SPDX-License-Identifier: MIT
#include "client/frame_intake.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::client;

namespace {

constexpr std::string_view kHead = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

struct SocketPair {
  SocketPair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    server.reset(ends[0]);
    client.reset(ends[1]);
  }
  UniqueFd server;
  UniqueFd client;
};

/// A server at one end, a library that receives at the other.
class Wire {
 public:
  void say(std::string_view bytes) {
    REQUIRE(::send(sockets_.server.get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() { sockets_.server.reset(); }

  /// What the library gets by one recv(2); where that fails, `error` is why.
  std::string receive() {
    const RecvHook hook(sockets_.client.get(), intake_);
    std::array<char, 64 * 1024> buffer{};
    const ssize_t got = ::recv(sockets_.client.get(), buffer.data(), buffer.size(), 0);
    error = got < 0 ? errno : 0;
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  void open() {
    say(kHead);
    REQUIRE(receive() == kHead);
    intake_.expect_frames();
  }

  std::vector<std::string> messages;
  int error = 0;

 private:
  SocketPair sockets_;
  FrameIntake intake_{sockets_.client.get(),
                      [this](std::string message) { messages.push_back(std::move(message)); }};
};

/// A frame of this first byte, not masked; `length` overrides the announced one.
std::string frame(unsigned first, const std::string& payload,
                  std::optional<std::uint64_t> length = {}) {
  const std::uint64_t announced = length.value_or(payload.size());
  std::string bytes(1, static_cast<char>(first));
  const std::size_t extended = announced < 126 ? 0 : announced < 65'536 ? 2 : 8;
  bytes += static_cast<char>(extended == 0 ? announced : extended == 2 ? 126U : 127U);
  for (std::size_t i = extended; i-- > 0;) {
    bytes += static_cast<char>(announced >> (8 * i));
  }
  return bytes + payload;
}

const std::string kPing = frame(0x89, "vibes");
const std::string kClose = frame(0x88, std::string("\x03\xe8", 2));

}  // namespace

TEST_CASE("FrameIntake: the head goes to the library alone, frames behind it wait",
          "[client][frames]") {
  Wire wire;
  wire.say(kHead.substr(0, 10));
  CHECK(wire.receive() == kHead.substr(0, 10));
  wire.say(std::string(kHead.substr(10)) + frame(0x81, "early"));
  CHECK(wire.receive() == kHead.substr(10));
  CHECK(wire.messages.empty());
}

TEST_CASE("FrameIntake: an answer that accepts no upgrade is the library's, body and all",
          "[client][frames]") {
  Wire wire;
  wire.say("HTTP/1.1 401 no\r\n\r\n");
  (void)wire.receive();
  wire.say("\x81\x02hi");
  CHECK(wire.receive() == "\x81\x02hi");
  CHECK(wire.messages.empty());
}

TEST_CASE("FrameIntake: messages are taken out whole, control frames stay", "[client][frames]") {
  const std::string longer(300, 'l');
  const std::string longest(70'000, 'L');
  const std::string all = frame(0x81, "one") + kPing + frame(0x01, "tw") + kPing + frame(0x00, "") +
                          frame(0x80, "o") + frame(0x81, longer) + frame(0x82, longest) +
                          frame(0x81, "") + kClose;
  const auto piece = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{60'000});
  Wire wire;
  wire.open();
  std::string received;
  for (std::size_t at = 0; at < all.size(); at += piece) {
    wire.say(std::string_view(all).substr(at, piece));
    const std::string got = wire.receive();
    CHECK((!got.empty() || wire.error == EAGAIN));
    received += got;
  }
  CHECK(received == kPing + kPing + kClose);
  CHECK((wire.messages == std::vector<std::string>{"one", "two", longer, longest, ""}));
  wire.hang_up();
  CHECK(wire.receive().empty());
  CHECK(wire.error == 0);
}

TEST_CASE("FrameIntake: a broken rule ends it behind what was good", "[client][frames]") {
  std::string masked = frame(0x81, "");
  masked[1] = static_cast<char>(0x80);
  std::vector<std::string> bad{masked,
                               frame(0xC1, "x"),
                               frame(0xA1, "x"),
                               frame(0x91, "x"),
                               frame(0x80, "x"),
                               frame(0x81, "", std::uint64_t{1} << 63U),
                               frame(0x01, "x") + frame(0x81, "y")};
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U}) {
    bad.push_back(frame(0x80U | opcode, "x"));
  }
  for (const std::string& broken : bad) {
    Wire wire;
    wire.open();
    wire.say(frame(0x81, "good") + broken + frame(0x81, "never"));
    CHECK(wire.receive().empty());
    CHECK(wire.error == EPROTO);
    CHECK(wire.receive().empty());
    CHECK(wire.error == EPROTO);
    CHECK(wire.messages == std::vector<std::string>{"good"});
  }
}
