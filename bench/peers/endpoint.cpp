// SPDX-License-Identifier: MIT
#include "peers/endpoint.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <sys/socket.h>

#include <fcntl.h>

#include "firehose/raw_client.hpp"
#include "firehose/server_process.hpp"
#include "peers/wire.hpp"

namespace vibes::bench {
namespace {

std::uint64_t number_at(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::uint64_t events_of_ack(std::string_view answer) {
  constexpr std::string_view kCount = R"("count":)";
  const std::size_t at = answer.find(kCount);
  if (!answer.starts_with(R"({"type":"ack")") || at == std::string_view::npos) {
    die("unexpected answer: " + std::string(answer));
  }
  return number_at(answer.substr(at + kCount.size()));
}

std::size_t take_websocket_acks(std::string_view bytes, std::uint64_t& events) {
  std::size_t taken = 0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[taken + i]); };
  while (bytes.size() - taken >= 4) {
    std::size_t header = 2;
    std::size_t length = at(1);
    if (length == 126) {
      header = 4;
      length = static_cast<std::size_t>(at(2)) << 8U | at(3);
    }
    if (bytes.size() - taken < header + length) {
      break;
    }
    if (at(0) == 0x81) {
      events += events_of_ack(bytes.substr(taken + header, length));
    }
    taken += header + length;
  }
  return taken;
}

/// XADD is answered with the new entry's id.
std::size_t take_redis_acks(std::string_view bytes, std::uint64_t& events) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const std::size_t end = bytes.find("\r\n", taken);
    if (end == std::string_view::npos) {
      break;
    }
    if (bytes[taken] != '$') {
      die("unexpected answer: " + std::string(bytes.substr(taken, end - taken)));
    }
    const std::size_t next = end + 2 + number_at(bytes.substr(taken + 1)) + 2;
    if (next > bytes.size()) {
      break;
    }
    ++events;
    taken = next;
  }
  return taken;
}

/// MSG subject sid size, then the ack; once in a while a PING.
std::size_t take_nats_acks(std::string_view bytes, std::uint64_t& events) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const std::size_t end = bytes.find("\r\n", taken);
    if (end == std::string_view::npos) {
      break;
    }
    const std::string_view line = bytes.substr(taken, end - taken);
    std::size_t next = end + 2;
    if (line.starts_with("MSG ")) {
      next += number_at(line.substr(line.rfind(' ') + 1)) + 2;
      if (next > bytes.size()) {
        break;
      }
      if (!bytes.substr(end + 2).starts_with(R"({"stream":)")) {
        die("unexpected answer: " + std::string(bytes.substr(end + 2, next - end - 4)));
      }
      ++events;
    } else if (line.starts_with("-ERR")) {
      die("unexpected answer: " + std::string(line));
    }
    taken = next;
  }
  return taken;
}

std::size_t take_raw_acks(std::string_view bytes, std::uint64_t& events) {
  std::size_t taken = 0;
  for (; bytes.size() - taken >= sizeof(std::uint32_t); taken += sizeof(std::uint32_t)) {
    std::uint32_t count = 0;
    std::memcpy(&count, bytes.data() + taken, sizeof count);
    events += count;
  }
  return taken;
}

void say_hello(int fd, const Endpoint& endpoint) {
  send_all(fd, endpoint.hello);
  std::string answer;
  std::array<char, 4'096> piece{};
  while (answer.find(endpoint.hello_end) == std::string::npos) {
    const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
    if (got <= 0) {
      die("hello: " + answer);
    }
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

UniqueFd connect_blocking(const Endpoint& endpoint) {
  UniqueFd fd = connect_to(endpoint.port);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (!endpoint.hello.empty()) {
    say_hello(fd.get(), endpoint);
  }
  return fd;
}

UniqueFd connect_to(const Endpoint& endpoint) {
  UniqueFd fd = connect_blocking(endpoint);
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

std::string masked_frame(std::string_view text) {
  constexpr std::string_view kMask = "\x37\xfa\x21\x3d";
  std::string frame = client_frame(text);
  const std::size_t payload = frame.size() - text.size();
  frame.replace(payload - kMask.size(), kMask.size(), kMask);
  for (std::size_t i = 0; i < text.size(); ++i) {
    frame[payload + i] = static_cast<char>(text[i] ^ kMask[i % kMask.size()]);
  }
  return frame;
}

std::string redis_command(std::initializer_list<std::string_view> words) {
  std::string command = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    command += "$" + std::to_string(word.size()) + "\r\n";
    command += word;
    command += "\r\n";
  }
  return command;
}

std::string websocket_hello(int port, const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

std::string nats_hello(const std::string& subject) {
  return R"(CONNECT {"verbose":false,"pedantic":false,"lang":"c","version":"1","protocol":1})"
         "\r\nSUB " +
         subject + " 1\r\nPING\r\n";
}

Endpoint websocket_append(int port, std::string_view event) {
  return {.port = port,
          .hello = websocket_hello(port, "/ws/append"),
          .hello_end = "\r\n\r\n",
          .message = masked_frame(event),
          .take_acks = take_websocket_acks};
}

Endpoint redis_xadd(int port, std::string_view event) {
  return {.port = port,
          .hello = redis_command({"DEL", "e"}) + redis_command({"PING"}),
          .hello_end = "+PONG\r\n",
          .message = redis_command({"XADD", "e", "*", "d", event}),
          .take_acks = take_redis_acks};
}

Endpoint jetstream_publish(int port, std::string_view event) {
  std::string message = "PUB e _INBOX.acks " + std::to_string(event.size()) + "\r\n";
  message += event;
  message += "\r\n";
  return {.port = port,
          .hello = nats_hello("_INBOX.acks"),
          .hello_end = "PONG\r\n",
          .message = message,
          .take_acks = take_nats_acks};
}

Endpoint raw_append(int port, std::string_view event) {
  const auto size = static_cast<std::uint32_t>(event.size());
  std::string message(sizeof size, '\0');
  std::memcpy(message.data(), &size, sizeof size);
  message += event;
  return {
      .port = port, .hello = {}, .hello_end = {}, .message = message, .take_acks = take_raw_acks};
}

}  // namespace vibes::bench
