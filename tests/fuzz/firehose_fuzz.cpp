// SPDX-License-Identifier: MIT
// What a firehose client sends, one message a line, through the endpoint: an empty line is the log
// moving. Whatever comes, each frame sent is a whole one, each text is JSON, and the connection
// stays within its rules.
#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "consumers/broadcaster.hpp"
#include "consumers/filtered_frames.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/past_frames.hpp"
#include "consumers/session_links.hpp"
#include "consumers/websocket_consumer.hpp"
#include "event/check.hpp"
#include "fuzz/fuzz.hpp"
#include "net/firehose.hpp"
#include "support/recording_connection.hpp"
#include "support/test_log.hpp"

using namespace vibes;

namespace {

struct Server {
  test::TestLog events;
  consumers::Broadcaster ring;
  consumers::PastFrames past;
  consumers::FilteredFrames filtered;
  consumers::WebsocketConsumer consumer{events.log(), ring};
  std::unique_ptr<consumers::GroupRegistry> groups =
      *consumers::GroupRegistry::open(events.log(), {});
  test::ManualClock clock;
  consumers::SessionLinks links{events.log()};
  net::FirehoseContext context{events.log(), ring,  past,  filtered,
                               *groups,      links, clock, "vibes-server/0.0.0"};

  Server() {
    // What simdjson makes on first use must outlive the threads of a server that is static itself.
    VIBES_ASSERT(event::check(R"({"type":"note"})").has_value());
    events.append_many(300, "note", "s");
  }
};

void play(Server& server, const test::TestQuery& query, std::string_view script) {
  const auto maker = net::plan_firehose(query, server.context);
  VIBES_ASSERT(maker.has_value());
  test::RecordingConnection connection;
  const auto endpoint = (*maker)(connection);
  endpoint->on_open();
  while (!script.empty() && !connection.close_code()) {
    const std::string_view line = script.substr(0, script.find('\n'));
    script.remove_prefix(std::min(script.size(), line.size() + 1));
    if (line.empty()) {
      server.consumer.pump();
      endpoint->on_log_moved();
    } else {
      endpoint->on_message(line);
    }
    connection.settle(*endpoint);
    for (const std::string& text : connection.take_texts()) {
      VIBES_ASSERT(nlohmann::json::accept(text));
    }
  }
  endpoint->on_close();
  connection.end();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server server;
  const std::string_view script = fuzz::text_of(data, size);
  play(server, {}, script);
  play(server, {{"group", "g"}, {"from", "beginning"}, {"batch", "1"}}, script);
  return 0;
}
