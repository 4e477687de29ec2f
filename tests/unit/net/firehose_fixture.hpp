// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "consumers/broadcaster.hpp"
#include "consumers/filtered_frames.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/past_frames.hpp"
#include "consumers/session_links.hpp"
#include "consumers/websocket_consumer.hpp"
#include "net/firehose.hpp"
#include "support/catch.hpp"
#include "support/recording_connection.hpp"
#include "support/test_log.hpp"

namespace vibes::test {

using nlohmann::json;

class FirehoseClient;

/// Everything behind the firehose, with a clock that stands still.
struct FirehoseServer {
  explicit FirehoseServer(const eventlog::LogOptions& options = {}) : events(options) {}

  TestLog events;
  consumers::Broadcaster ring;
  consumers::PastFrames past;
  consumers::FilteredFrames filtered;
  consumers::WebsocketConsumer consumer{events.log(), ring};
  std::unique_ptr<consumers::GroupRegistry> groups =
      *consumers::GroupRegistry::open(events.log(), {});
  ManualClock clock;
  consumers::SessionLinks links{events.log()};
  net::FirehoseContext context{events.log(), ring,  past,  filtered,
                               *groups,      links, clock, "vibes-server/0.0.0"};
};

/// One client of it: what it is sent, parsed.
class FirehoseClient {
 public:
  FirehoseClient(FirehoseServer& server, const TestQuery& query = {}) : server_(server) {
    auto maker = net::plan_firehose(query, server.context);
    if (!maker) {
      throw std::runtime_error(maker.error().message());
    }
    endpoint_ = (*maker)(connection);
    endpoint_->on_open();
  }

  void send(const json& message) { endpoint_->on_message(message.dump()); }
  void send_text(std::string_view text) { endpoint_->on_message(text); }
  /// The log's end moved.
  void wake() {
    server_.consumer.pump();
    endpoint_->on_log_moved();
  }
  /// All that the client is sent until nothing is left, `wake` included.
  std::vector<json> take() {
    wake();
    connection.settle(*endpoint_);
    return taken();
  }
  /// What has been sent so far.
  std::vector<json> taken() {
    std::vector<json> messages;
    for (const std::string& text : connection.take_texts()) {
      messages.push_back(json::parse(text));
    }
    return messages;
  }
  bool writable() { return connection.writable(*endpoint_); }
  bool fire_timer() { return connection.fire_timer(*endpoint_, server_.clock); }
  /// A compatible client that sends nothing is held back for a moment after connecting.
  void pass_first_moment() { REQUIRE(fire_timer()); }
  net::Endpoint& endpoint() { return *endpoint_; }
  void end() {
    endpoint_->on_close();
    connection.end();
    endpoint_.reset();
  }

  RecordingConnection connection;

 private:
  FirehoseServer& server_;
  std::unique_ptr<net::Endpoint> endpoint_;
};

/// The offsets of all events in `messages`, in the order of sending: single, in pages and in
/// batches.
inline std::vector<std::uint64_t> offsets_of(const std::vector<json>& messages) {
  std::vector<std::uint64_t> offsets;
  for (const json& message : messages) {
    if (message.at("type") == "event") {
      offsets.push_back(message.at("offset"));
    } else if (message.contains("events")) {
      for (const json& event : message.at("events")) {
        offsets.push_back(event.at("offset"));
      }
    }
  }
  return offsets;
}

inline std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> numbers;
  for (; from < to; ++from) {
    numbers.push_back(from);
  }
  return numbers;
}

/// The messages of one type.
inline std::vector<json> of_type(const std::vector<json>& messages, std::string_view type) {
  std::vector<json> found;
  for (const json& message : messages) {
    if (message.at("type") == type) {
      found.push_back(message);
    }
  }
  return found;
}

}  // namespace vibes::test
