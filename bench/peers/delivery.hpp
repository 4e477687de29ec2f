// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "peers/endpoint.hpp"

namespace vibes::bench {

/// How an event gets from a producer to receivers through one server.
struct Route {
  Endpoint producer;  // its message and acks are not looked at
  Endpoint receiver;
  /// What is sent for the event `payload`, which is the `number`-th, from 1.
  std::function<std::string(std::string_view payload, std::size_t number)> append;
  /// What a receiver that has `number` events says to be sent the next; nothing where it need not.
  std::function<std::string(std::size_t number)> ask_again = {};
};

struct Delivery {
  std::size_t receivers = 1;
  double seconds = 1;
  double per_second = 1'000;
};

/// Microseconds from just before an event was sent to when a receiver had read it, one sample per
/// event and receiver. The time of sending is in the event. Ends the program where one is lost.
std::vector<double> run_delivery(const Route& route, const Delivery& delivery);

/// /ws/append and /ws/firehose of ours.
Route vibes_route(int port);
/// XADD to a stream `key` that is not there, and XREAD BLOCK of one receiver.
Route redis_stream_route(int port, const std::string& key);
Route redis_pubsub_route(int port);
Route nats_core_route(int port);
/// QoS 0.
Route mqtt_route(int port);

}  // namespace vibes::bench
