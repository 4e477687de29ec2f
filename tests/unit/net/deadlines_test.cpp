// SPDX-License-Identifier: MIT
// Real sockets against a real server with short deadlines. A deadline that does not work shows as a
// test that waits for the socket's timeout; nothing here depends on how fast the machine is.
#include <arpa/inet.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>

#include <poll.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "eventlog/memory/memory_event_log.hpp"
#include "net/server.hpp"
#include "support/catch.hpp"

namespace vibes::net {
namespace {

using std::chrono::milliseconds;

/// Says back what it hears; "flood" makes it send without end.
class Echo final : public Endpoint {
 public:
  explicit Echo(Connection& connection) : connection_(connection) {}
  void on_message(std::string_view text) override {
    text_ = text;
    connection_.request_write();
  }
  void on_writable() override {
    if (text_ == "flood") {
      connection_.write_text(std::string(60'000, 'x'));
      connection_.request_write();
    } else {
      connection_.write_text(text_);
    }
  }
  void on_stop() override { connection_.close(CloseCode::going_away, "stopping"); }

 private:
  Connection& connection_;
  std::string text_;
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

/// A blocking client whose reads give up after 20 s.
class Client {
 public:
  explicit Client(const ShortServer& server) : authority_(server.authority()) {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{20, 0};
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(authority_.substr(authority_.find(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  void send(std::string_view bytes) {
    REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void upgrade() {
    send("GET /ws HTTP/1.1\r\nHost: " + authority_ +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    REQUIRE(read_until("\r\n\r\n").find(" 101 ") != std::string::npos);
  }
  /// A POST that announces `length` bytes of body and sends these.
  void post(const std::string& body, std::size_t length) {
    send("POST /post HTTP/1.1\r\nHost: " + authority_ +
         "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + body);
  }
  bool has_answer_within(milliseconds time) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(time.count())) == 1;
  }
  /// A text frame, masked with zeros.
  void send_text(std::string_view text, unsigned char first = 0x81) {
    std::string frame{static_cast<char>(first), static_cast<char>(0x80U | text.size()), 0, 0, 0, 0};
    send(frame + std::string(text));
  }
  std::string read_until(std::string_view mark) {
    std::string got;
    char byte = 0;
    while (got.find(mark) == std::string::npos && ::recv(fd_.get(), &byte, 1, 0) == 1) {
      got += byte;
    }
    return got;
  }
  std::string read(std::size_t count) {
    std::string got(count, '\0');
    const ssize_t n = ::recv(fd_.get(), got.data(), count, MSG_WAITALL);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }
  /// Everything up to the end of the connection; false: the server still holds it after 20 s.
  bool ends(std::string& got) {
    std::string piece(65'536, '\0');
    while (true) {
      const ssize_t n = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (n == 0 || (n < 0 && errno == ECONNRESET)) {
        return true;
      }
      if (n < 0) {
        return false;
      }
      got.append(piece, 0, static_cast<std::size_t>(n));
    }
  }
  /// The code of the close frame that comes next; 0: none came.
  unsigned read_close() {
    const std::string frame = read(4);
    return frame.size() == 4 && frame[0] == '\x88'
               ? static_cast<unsigned char>(frame[2]) * 256U + static_cast<unsigned char>(frame[3])
               : 0;
  }
  bool ends() {
    std::string got;
    return ends(got);
  }
  [[nodiscard]] const std::string& authority() const { return authority_; }

 private:
  std::string authority_;
  UniqueFd fd_;
};

TEST_CASE("Server: a client whose answer finds no room on its thread is hung up on",
          "[net][deadlines]") {
  const ShortServer server(Deadlines{}, {.bytes = 100});
  Client lucky(server);
  lucky.post("x", 1);
  CHECK(lucky.read_until("\r\n").find(" 200 ") != std::string::npos);
  Client lost(server);
  lost.post(std::string(101, 'x'), 101);
  std::string answer;
  CHECK(lost.ends(answer));
  CHECK(answer.empty());
}

TEST_CASE("Server: a client that says nothing is hung up on", "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.headers = milliseconds(100);
  const ShortServer server(deadlines);
  Client silent(server);
  CHECK(silent.ends());
  Client slow(server);
  slow.send("GET / HTTP/1.1\r\nX: ");
  CHECK(slow.ends());
}

TEST_CASE("Server: a request whose body does not come is refused", "[net][deadlines]") {
  Deadlines deadlines;
  SECTION("after the deadline of the whole") { deadlines.request = milliseconds(100); }
  SECTION("after a span without enough of it") { deadlines.body_span = milliseconds(100); }
  const ShortServer server(deadlines);
  Client client(server);
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
  Client client(server);
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
  Client client(server);
  client.upgrade();
  client.send_text("half", 0x01);
  CHECK(client.read_close() == 4408);
  // The same where not a byte of it follows its header.
  Client announcing(server);
  announcing.upgrade();
  announcing.send(std::string("\x81\xfe\x01\x00", 4));
  CHECK(announcing.read_close() == 4408);
}

TEST_CASE("Server: silence is met with a ping, and without an answer with the end",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(50);
  deadlines.hang_up = milliseconds(400);
  const ShortServer server(deadlines);
  Client client(server);
  client.upgrade();
  CHECK(static_cast<unsigned char>(client.read(1)[0]) == 0x89);
  CHECK(client.ends());
}

TEST_CASE("Server: a client that answers pings stays", "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(20);
  deadlines.hang_up = milliseconds(20'000);
  const ShortServer server(deadlines);
  Client client(server);
  client.upgrade();
  for (int i = 0; i < 10; ++i) {
    REQUIRE(client.read(7) == "\x89\x05vibes");
    client.send_text("vibes", 0x8A);
  }
  client.send_text("still here");
  CHECK(client.read_until("still here").find("still here") != std::string::npos);
}

TEST_CASE("Server: a client that does not read is let go, one that reads is not",
          "[net][deadlines]") {
  Deadlines deadlines;
  deadlines.ping = milliseconds(100);
  deadlines.stalled = milliseconds(400);
  deadlines.hang_up = milliseconds(20'000);
  const ShortServer server(deadlines);
  Client reader(server);
  reader.upgrade();
  reader.send_text("flood");
  CHECK(reader.read(20'000'000).size() == 20'000'000);
  Client stuck(server);
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
  Client client(server);
  client.upgrade();
  client.send_text("hello");
  CHECK(client.read(7) == "\x81\x05hello");
  server.server->stop(milliseconds(5'000));
  CHECK(client.read_close() == 1001);
}

}  // namespace
}  // namespace vibes::net
