// SPDX-License-Identifier: MIT
// Real sockets against a real server with short deadlines. A deadline that does not work shows as a
// test that waits for the socket's timeout; nothing here depends on how fast the machine is.
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "eventlog/memory/memory_event_log.hpp"
#include "net/server.hpp"
#include "socket_client.hpp"
#include "support/catch.hpp"

namespace vibes::net {
namespace {

using std::chrono::milliseconds;

/// How long an Echo is deaf.
constexpr milliseconds kDeafFor{1'000};

/// Says back what it hears; "flood" makes it send without end, "deaf" not read for a while before.
class Echo final : public Endpoint {
 public:
  explicit Echo(Connection& connection) : connection_(connection) {}
  void on_message(std::string_view text) override {
    heard_.emplace_back(text);
    if (text == "deaf") {
      connection_.pause_reading();
      connection_.set_timer(kDeafFor);
    } else {
      connection_.request_write();
    }
  }
  void on_timer() override {
    connection_.resume_reading();
    connection_.request_write();
  }
  void on_writable() override {
    if (heard_.front() == "flood") {
      connection_.write_text(std::string(60'000, 'x'));
    } else {
      connection_.write_text(heard_.front());
      heard_.pop_front();
    }
    if (!heard_.empty() && heard_.front() != "deaf") {
      connection_.request_write();
    }
  }
  void on_stop() override { connection_.close(CloseCode::going_away, "stopping"); }

 private:
  Connection& connection_;
  std::deque<std::string> heard_;
};

struct ShortServer {
  std::unique_ptr<eventlog::EventLog> log = eventlog::make_memory_log({});
  std::unique_ptr<Server> server;

  explicit ShortServer(const Deadlines& deadlines, TaskQueue::Limits task_limits = {}) {
    ServerOptions options;
    options.listen.push_back({"127.0.0.1", 0});
    server = *Server::listen(std::move(options));
    LoopContext& context = server->context();
    context.deadlines = deadlines;
    context.task_limits = task_limits;
    context.router.add(
        Method::post, "/post", Access::open, [](const Request& request, const Responder& to) {
          // As the log answers: from another thread.
          std::jthread([&] {
            to.send({.status = 200, .body = request.body, .content_type = "text/plain"});
          });
        });
    context.router.add({.path = "/ws", .plan = [](const Query&) -> Result<EndpointMaker> {
                          return EndpointMaker([](Connection& connection) {
                            return std::make_unique<Echo>(connection);
                          });
                        }});
    REQUIRE(server->start(*log));
  }
  ~ShortServer() { server->stop(milliseconds(2'000)); }

  [[nodiscard]] std::string authority() const { return server->url().substr(7); }
};

TEST_CASE("Server: a client whose answer finds no room on its thread is hung up on",
          "[net][deadlines]") {
  const ShortServer server(Deadlines{}, {.bytes = 100});
  SocketClient lucky(server.authority());
  lucky.post("x", 1);
  CHECK(lucky.read_until("\r\n").find(" 200 ") != std::string::npos);
  SocketClient lost(server.authority());
  lost.post(std::string(101, 'x'), 101);
  std::string answer;
  CHECK(lost.ends(answer));
  CHECK(answer.empty());
}

TEST_CASE("Server: a client that says nothing is hung up on", "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.headers = milliseconds(100);
  const ShortServer server(deadlines);
  SocketClient silent(server.authority());
  CHECK(silent.ends());
  SocketClient slow(server.authority());
  slow.send("GET / HTTP/1.1\r\nX: ");
  CHECK(slow.ends());
}

TEST_CASE("Server: a request whose body does not come is refused", "[net][deadlines]") {
  Deadlines deadlines;
  SECTION("after the deadline of the whole") { deadlines.request = milliseconds(100); }
  SECTION("after a span without enough of it") { deadlines.body_span = milliseconds(100); }
  const ShortServer server(deadlines);
  SocketClient client(server.authority());
  client.post("half", 10);
  std::string answer;
  CHECK(client.ends(answer));
  CHECK(answer.find(" 408 ") != std::string::npos);
  CHECK(answer.find("too_slow") != std::string::npos);
}

TEST_CASE("Server: a body that trickles is refused however long it might go on",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.request = std::chrono::hours(1);
  deadlines.body_span = milliseconds(200);  // in which 204 bytes have to come
  const ShortServer server(deadlines);
  SocketClient client(server.authority());
  client.post("", 1'000'000);
  while (!client.has_answer_within(milliseconds(5))) {
    client.send("x");
  }
  CHECK(client.read_until("\r\n").find(" 408 ") != std::string::npos);
}

TEST_CASE("Server: a message that does not come to its end is closed with 4408",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.message = milliseconds(100);
  const ShortServer server(deadlines);
  SocketClient client(server.authority());
  client.upgrade();
  client.send_text("half", 0x01);
  CHECK(client.read_close() == 4408);
  // The same where not a byte of it follows its header.
  SocketClient announcing(server.authority());
  announcing.upgrade();
  announcing.send(std::string("\x81\xfe\x01\x00", 4));
  CHECK(announcing.read_close() == 4408);
}

TEST_CASE("Server: what came in one piece with the message that made it pause is read afterwards",
          "[net][deadlines]") {
  const ShortServer server(Deadlines{});
  SocketClient client(server.authority());
  client.upgrade();
  const std::string two = SocketClient::frame("two");
  // The rest of its frame comes while nobody reads.
  client.send(SocketClient::frame("deaf") + SocketClient::frame("p", 0x89) + two.substr(0, 8));
  client.send(two.substr(8) + SocketClient::frame("deaf") + SocketClient::frame("three"));
  std::string said;
  bool pong = false;
  while (!said.ends_with("three")) {
    const auto frame = client.read_frame();
    REQUIRE(frame.opcode != 8);
    pong = pong || (frame.opcode == 10 && frame.payload == "p");
    said += frame.opcode == 1 ? frame.payload : "";
  }
  CHECK(pong);
  CHECK(said == "deaftwodeafthree");
  // A close is heard behind what was left over, too.
  client.send(SocketClient::frame("deaf") + SocketClient::frame(std::string("\x03\xe8", 2), 0x88));
  CHECK(client.read_frame().payload == "deaf");
  CHECK(client.read_close() == 1000);
}

TEST_CASE("Server: silence is met with a ping, and without an answer with the end",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(50);
  deadlines.hang_up = milliseconds(400);
  const ShortServer server(deadlines);
  SocketClient client(server.authority());
  client.upgrade();
  CHECK(static_cast<unsigned char>(client.read(1)[0]) == 0x89);
  CHECK(client.ends());
}

TEST_CASE("Server: a client that answers pings stays", "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(20);
  deadlines.hang_up = milliseconds(20'000);
  const ShortServer server(deadlines);
  SocketClient client(server.authority());
  client.upgrade();
  for (int i = 0; i < 10; ++i) {
    REQUIRE(client.read(7) == "\x89\x05vibes");
    client.send_text("vibes", 0x8A);
  }
  client.send_text("still here");
  CHECK(client.read_until("still here").find("still here") != std::string::npos);
}

TEST_CASE("Server: a client that is not read from is not taken for silent, unless it has left",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(50);
  deadlines.hang_up = kDeafFor / 10;
  const ShortServer server(deadlines);
  SocketClient client(server.authority());
  client.upgrade();
  client.send_text("deaf");
  std::string got;
  SECTION("it is there when it is read from again") {
    CHECK(client.read_until("deaf").find("deaf") != std::string::npos);
  }
  SECTION("or it is hung up on") {
    client.end_sending();
    CHECK(client.ends(got));
    CHECK(got.find("deaf") == std::string::npos);
  }
}

TEST_CASE("Server: a client that does not read is let go, one that reads is not",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(100);
  deadlines.stalled = milliseconds(400);
  deadlines.hang_up = milliseconds(20'000);
  const ShortServer server(deadlines);
  SocketClient reader(server.authority());
  reader.upgrade();
  reader.send_text("flood");
  CHECK(reader.read(20'000'000).size() == 20'000'000);
  SocketClient stuck(server.authority());
  stuck.upgrade();
  stuck.send_text("flood");
  // It reads nothing until the server has given up on it; what it then finds is what its kernel
  // held.
  while (server.server->connections() > 1) {
    (void)reader.read(1'000'000);
  }
  CHECK(stuck.ends());
}

TEST_CASE("Server: stopping says goodbye with 1001", "[net][deadlines]") {
  const ShortServer server{Deadlines{}};
  SocketClient client(server.authority());
  client.upgrade();
  client.send_text("hello");
  CHECK(client.read(7) == "\x81\x05hello");
  server.server->stop(milliseconds(5'000));
  CHECK(client.read_close() == 1001);
}

}  // namespace
}  // namespace vibes::net
