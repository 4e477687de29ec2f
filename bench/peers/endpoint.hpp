// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace vibes::bench {

/// How to speak with a server at the least cost: everything that is ever sent is made beforehand,
/// and of the answers only what acknowledges is looked at. The same client serves all of them, so
/// that what differs is the server.
struct Endpoint {
  /// Counts the events that the answers at the start of `bytes` acknowledge into `events` and
  /// returns how many bytes these answers are; what is left is an answer that has not come whole.
  /// Ends the program at an answer that refuses.
  using TakeAcks = std::size_t (*)(std::string_view bytes, std::uint64_t& events);

  int port = 0;
  std::string hello;      // sent first
  std::string hello_end;  // what the answer to that ends with; a firehose may begin right behind it
  std::string message;    // an append of one event
  TakeAcks take_acks = nullptr;
};

/// A connected socket that does not block, after the hello. What has come behind the answer to that
/// is lost.
UniqueFd connect_to(const Endpoint& endpoint);
/// The same for a socket that blocks.
UniqueFd connect_blocking(const Endpoint& endpoint);

/// /ws/append of ours, an event per message.
Endpoint websocket_append(int port, std::string_view event);
/// XADD to the stream `e`, which each connection begins anew: memory that only grows would cost it
/// time.
Endpoint redis_xadd(int port, std::string_view event);
/// A publish to the subject `e`, acknowledged by the stream that keeps it.
Endpoint jetstream_publish(int port, std::string_view event);
/// The raw reference: a length of four bytes, least first, before each event; answers are counts
/// of four bytes.
Endpoint raw_append(int port, std::string_view event);

/// A text frame of a client with a mask that changes the payload, as any browser's.
std::string masked_frame(std::string_view text);
/// A command as Redis wants it, of these words.
std::string redis_command(std::initializer_list<std::string_view> words);
/// What opens a WebSocket.
std::string websocket_hello(int port, const std::string& path);
/// What opens a connection to NATS and subscribes `subject`.
std::string nats_hello(const std::string& subject);

}  // namespace vibes::bench
