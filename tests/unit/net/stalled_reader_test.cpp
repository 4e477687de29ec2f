// SPDX-License-Identifier: MIT
// The firehose over a real socket, to a client that stops reading.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "firehose_fixture.hpp"
#include "net/server.hpp"
#include "socket_client.hpp"

namespace vibes::net {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// What sockets do not swallow: their buffers hold a few MiB. Few events, for a sanitizer makes
/// each dear.
constexpr std::size_t kEvents = 3'000;
constexpr std::size_t kEventBytes = 10'000;

struct Stage {
  test::FirehoseServer behind;
  std::unique_ptr<Server> server;

  Stage() {
    behind.events.append_many(kEvents, "note", "s", kEventBytes);
    (void)behind.consumer.pump();
    ServerOptions options;
    options.listen.push_back({"127.0.0.1", 0});
    server = *Server::listen(std::move(options));
    LoopContext& context = server->context();
    context.deadlines.ping = milliseconds(50);
    context.deadlines.stalled = milliseconds(100);
    context.deadlines.hang_up = std::chrono::hours(1);
    context.deadlines.close =
        std::chrono::hours(1);  // whenever the client looks, it finds the close
    context.router.add({.path = "/ws/firehose", .plan = [this](const Query& query) {
                          return plan_firehose(query, behind.context);
                        }});
    REQUIRE(server->start(behind.events.log()));
  }
  ~Stage() { server->stop(milliseconds(2'000)); }
};

/// Of a frame of an event; nothing for other messages. They are too many to be parsed.
std::optional<std::uint64_t> offset_of(const std::string& frame) {
  constexpr std::string_view kOffset = R"("offset":)";
  const auto at = frame.find(kOffset);
  if (!frame.starts_with(R"({"type":"event",)") || at == std::string::npos) {
    return std::nullopt;
  }
  return std::stoull(frame.substr(at + kOffset.size(), 20));
}

/// Reads frames of events until the stream catches up or is closed.
struct Heard {
  std::uint64_t next = 0;
  unsigned close_code = 0;
};
Heard listen(SocketClient& client) {
  Heard heard;
  for (;;) {
    const SocketClient::Frame frame = client.read_frame();
    if (frame.opcode == 8) {
      heard.close_code = frame.close_code();
      return heard;
    }
    if (frame.opcode != 1) {
      continue;
    }
    if (const auto offset = offset_of(frame.payload)) {
      heard.next = *offset + 1;
      continue;
    }
    const json message = json::parse(frame.payload);
    if (message["type"] == "position" && message["caught_up"] == true) {
      return heard;
    }
  }
}

TEST_CASE("Firehose: a reader that makes no progress is closed with 1013, and loses nothing",
          "[net][firehose]") {
  Stage stage;
  const std::string authority = stage.server->url().substr(7);
  Heard heard;
  // Nothing tells from outside that the server has given up. Where it has not when we begin to
  // read, the stream just goes on, and we try again with more patience.
  for (milliseconds unread(400); heard.close_code == 0; unread *= 2) {
    REQUIRE(unread < std::chrono::minutes(1));
    SocketClient stuck(authority);
    stuck.upgrade("/ws/firehose?from=beginning&heartbeat=3600");
    std::this_thread::sleep_for(unread);
    heard = listen(stuck);
  }
  CHECK(heard.close_code == 1013);
  CHECK(heard.next < kEvents);

  SocketClient again(authority);
  again.upgrade("/ws/firehose?from=" + std::to_string(heard.next) + "&heartbeat=3600");
  CHECK(listen(again).next == kEvents);
}

TEST_CASE(
    "Firehose: frames that are sent from their pages arrive whole and in order, though the "
    "socket never takes them all",
    "[net][firehose]") {
  Stage stage;
  std::vector<consumers::Broadcaster::Attachment> crowd;
  for (std::size_t i = 0; i < consumers::FrameMemory::kPagesFromClients; ++i) {
    crowd.push_back(stage.behind.ring.attach());
  }
  SocketClient client(stage.server->url().substr(7));
  client.upgrade("/ws/firehose?from=beginning&heartbeat=3600");
  const auto reader = *stage.behind.events.log().reader(Offset(0));
  std::size_t wrong = 0;
  for (Offset next(0); next < Offset(kEvents);) {
    const SocketClient::Frame frame = client.read_frame();
    const auto offset = offset_of(frame.payload);
    if (!offset) {
      continue;
    }
    const auto batch = reader->read({.events_max = 1});
    const bool whole = Offset(*offset) == next &&
                       frame.payload.ends_with(std::string(batch->events[0].payload) + "}");
    wrong += whole ? 0U : 1U;
    ++next;
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace vibes::net
