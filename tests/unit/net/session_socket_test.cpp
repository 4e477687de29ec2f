// SPDX-License-Identifier: MIT
#include "net/session_socket.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <future>
#include <thread>

#include <nlohmann/json.hpp>

#include "event/base64.hpp"
#include "net/sessions_handler.hpp"
#include "support/catch.hpp"
#include "support/recording_connection.hpp"
#include "support/temp_dir.hpp"
#include "support/test_log.hpp"

namespace vibes::net {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto kPatience = 20s;  // used up by failing tests only

/// A server's part of the matter: a log and a registry.
struct Server {
  explicit Server(session::RegistryOptions options = {}) {
    options.environment = {"PATH=/usr/bin:/bin", "HOME=/"};
    options.hang_up_grace = 200ms;
    auto started = session::SessionRegistry::start(log.log(), std::move(options));
    REQUIRE(started);
    registry = *std::move(started);
  }
  std::vector<json> events() {
    auto reader = log.log().reader(eventlog::Beginning{});
    REQUIRE(reader);
    std::vector<json> result;
    for (auto batch = (*reader)->read({}); !batch->events.empty(); batch = (*reader)->read({})) {
      for (const auto& event : batch->events) {
        result.push_back(json::parse(event.payload));
      }
    }
    return result;
  }
  std::vector<json> await_events(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (log.log().end().value() < count && std::chrono::steady_clock::now() < deadline) {
      (void)log.log().signal().wait_beyond(log.log().end(), {}, 1s);
    }
    return events();
  }

  vibes::test::TestLog log;
  std::unique_ptr<session::SessionRegistry> registry;
};

/// A client of GET /ws, without a socket between.
class Client {
 public:
  explicit Client(Server& server)
      : server_(server),
        endpoint_(make_session_endpoint(connection, *server.registry, server.log.log())) {
    endpoint_->on_open();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(); }

  void close() {
    if (endpoint_) {
      connection.end();
      endpoint_->on_close();
      endpoint_.reset();
    }
  }
  void send(const json& message) { endpoint_->on_message(message.dump()); }
  void send_raw(const std::string& text) { endpoint_->on_message(text); }
  void stop() { endpoint_->on_stop(); }
  void fire_timer() { endpoint_->on_timer(); }

  /// Does what a net thread would do now, until nothing is left to do.
  void turn() {
    tell_log();
    connection.settle(*endpoint_);
    take_messages();
  }
  /// The same until something is received: sessions may put out more than we can ever take.
  void step() {
    tell_log();
    while (received.empty() && (connection.run_posts() || connection.writable(*endpoint_))) {
      take_messages();
    }
  }
  /// The next message for which `wanted` holds; those before it are dropped.
  template <class Wanted>
  json await(Wanted wanted) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      step();
      while (!received.empty()) {
        json message = std::move(received.front());
        received.pop_front();
        if (wanted(message)) {
          return message;
        }
      }
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }
  json await_type(const std::string& type) {
    INFO("waiting for " << type);
    return await([&](const json& message) { return message["type"] == type; });
  }
  /// All messages up to the first of `type`.
  std::vector<json> collect_until(const std::string& type) {
    std::vector<json> all;
    INFO("waiting for " << type);
    await([&](const json& message) {
      all.push_back(message);
      return message["type"] == type;
    });
    return all;
  }

  vibes::test::RecordingConnection connection;
  std::deque<json> received;

 private:
  void tell_log() {
    if (const Offset end = server_.log.log().end(); end != seen_) {
      seen_ = end;
      endpoint_->on_log_moved();
    }
  }
  void take_messages() {
    for (const std::string& text : connection.take_texts()) {
      received.push_back(json::parse(text));
    }
  }

  Server& server_;
  std::unique_ptr<Endpoint> endpoint_;
  Offset seen_;
};

/// A log that keeps what it is given until it is told to take it.
class HeldLog final : public eventlog::EventLog {
 public:
  explicit HeldLog(eventlog::EventLog& log) : log_(log) {}

  Result<void> append(std::vector<event::NewEvent> batch, eventlog::AppendDone done) override {
    const MutexLock lock(mutex_);
    if (!held_) {
      return log_.append(std::move(batch), std::move(done));
    }
    appends_.emplace_back(std::move(batch), std::move(done));
    return {};
  }
  void release() {
    const MutexLock lock(mutex_);
    held_ = false;
    for (auto& [batch, done] : appends_) {
      REQUIRE(log_.append(std::move(batch), std::move(done)));
    }
    appends_.clear();
  }

  [[nodiscard]] Uuid log_id() const override { return log_.log_id(); }
  Result<std::unique_ptr<eventlog::Reader>> reader(const eventlog::Position& at) override {
    return log_.reader(at);
  }
  Result<Offset> resolve(const eventlog::Position& at) override { return log_.resolve(at); }
  [[nodiscard]] Offset first() const override { return log_.first(); }
  [[nodiscard]] eventlog::CommitSignal& signal() const override { return log_.signal(); }
  [[nodiscard]] eventlog::GroupOffsets& group_offsets() override { return log_.group_offsets(); }
  [[nodiscard]] eventlog::LogStatus status() const override { return log_.status(); }
  Result<void> close() override { return {}; }

 private:
  eventlog::EventLog& log_;
  Mutex mutex_;
  bool held_ VIBES_GUARDED_BY(mutex_) = true;
  std::vector<std::pair<std::vector<event::NewEvent>, eventlog::AppendDone>> appends_
      VIBES_GUARDED_BY(mutex_);
};

std::string data_of(const std::vector<json>& messages, const std::string& type) {
  std::string bytes;
  for (const json& message : messages) {
    if (message["type"] == type) {
      bytes += event::decode_base64(message["data"].get<std::string>()).value();
    }
  }
  return bytes;
}

json attach(const std::string& id, const std::string& script) {
  return {{"type", "attach"}, {"session_id", id}, {"command", {"/bin/sh", "-c", script}}};
}
json resize(const std::string& id) {
  return {{"type", "pty_resize"}, {"session_id", id}, {"cols", 80}, {"rows", 24}};
}
json input(const std::string& id, const std::string& bytes) {
  return {{"type", "pty_input"}, {"session_id", id}, {"data", event::encode_base64(bytes)}};
}

TEST_CASE("SessionSocket: a connection's beginning and end are events", "[net][sessions]") {
  Server server;
  {
    Client client(server);
    CHECK(client.await_type("auth_context")["source"] == "local");
  }
  const auto events = server.await_events(2);
  REQUIRE(events.size() == 2);
  CHECK(events[0]["type"] == "client_connected");
  CHECK(events[1]["type"] == "client_disconnected");
  CHECK(events[0]["client_id"] == events[1]["client_id"]);
}

TEST_CASE("SessionSocket: a session from attach to exit, in the protocol's order",
          "[net][sessions]") {
  Server server;
  Client client(server);
  client.send(attach("s1", "echo hello; exit 3"));
  const auto messages = client.collect_until("session_removed");
  std::vector<std::string> order;
  for (const json& message : messages) {
    const std::string type = message["type"];
    if (type.starts_with("pty") || type == "attach_ack" || type == "session_removed") {
      order.push_back(type);
    }
  }
  CHECK(order ==
        std::vector<std::string>{"attach_ack", "pty_output", "pty_exit", "session_removed"});
  CHECK(data_of(messages, "pty_output") == "hello\r\n");
  CHECK(messages.back() ==
        json({{"type", "session_removed"}, {"session_id", "s1"}, {"reason", "session_finished"}}));
  const auto exit = std::find_if(messages.begin(), messages.end(),
                                 [](const json& m) { return m["type"] == "pty_exit"; });
  CHECK((*exit)["exit_code"] == 3);
}

TEST_CASE("SessionSocket: every client hears of every session, from the log", "[net][sessions]") {
  Server server;
  Client other(server);
  other.await_type("auth_context");
  Client client(server);
  json message = attach("s1", "read x; exit 0");
  message["name"] = "build";
  client.send(message);
  const json ack = client.await_type("attach_ack");
  CHECK(ack["cols"] == 120);
  CHECK(ack["rows"] == 40);
  CHECK(other.await_type("session_notification") ==
        json({{"type", "session_notification"}, {"session_id", "s1"}, {"name", "build"}}));
  client.send(input("s1", "\n"));
  CHECK(other.await_type("session_state")["state"] == "Exited(0)");
  CHECK(other.await_type("session_removed")["reason"] == "session_finished");
}

TEST_CASE("SessionSocket: what a producer appended about sessions reaches every client",
          "[net][sessions]") {
  Server server;
  Client client(server);
  client.await_type("auth_context");
  server.log.append(
      "{\"type\":\"session_created\",\"session_id\":\"elsewhere\"}\n"
      "{\"type\":\"tunnel_state_changed\",\"state\":\"connected\",\"url\":\"https://x\"}");
  CHECK(client.await_type("session_notification")["name"].is_null());
  CHECK(client.await_type("tunnel_state")["url"] == "https://x");
}

TEST_CASE("SessionSocket: nothing from before the connection is told", "[net][sessions]") {
  Server server;
  server.log.append(R"({"type":"session_created","session_id":"old","name":null})");
  Client client(server);
  client.await_type("auth_context");
  server.log.append(R"({"type":"session_created","session_id":"new","name":null})");
  CHECK(client.await_type("session_notification")["session_id"] == "new");
}

TEST_CASE("SessionSocket: the first resize brings the replay, and no byte comes twice",
          "[net][sessions]") {
  Server server;
  Client first(server);
  first.send(attach("s1", "stty -echo; printf before; read x; printf after; exit 0"));
  first.await_type("pty_output");
  first.turn();
  Client second(server);
  second.send({{"type", "attach"}, {"session_id", "s1"}});
  second.await_type("attach_ack");
  first.send(input("s1", "\n"));
  second.send(resize("s1"));
  second.send(resize("s1"));
  const auto messages = second.collect_until("pty_exit");
  CHECK(std::count_if(messages.begin(), messages.end(),
                      [](const json& m) { return m["type"] == "pty_replay"; }) == 1);
  CHECK(data_of(messages, "pty_replay") == "before");
  CHECK(data_of(messages, "pty_output") == "after");
}

TEST_CASE("SessionSocket: a new session's first resize brings an empty replay", "[net][sessions]") {
  Server server;
  Client client(server);
  client.send(attach("s1", "exec sleep 1000"));
  client.send(resize("s1"));
  CHECK(client.await_type("pty_replay")["data"] == "");
  client.send({{"type", "kill_session"}, {"session_id", "s1"}});
  client.await_type("session_removed");
}

TEST_CASE("SessionSocket: a client that never resizes gets the replay when its time is over",
          "[net][sessions]") {
  Server server;
  Client first(server);
  first.send(attach("s1", "printf before; exec sleep 1000"));
  first.await_type("pty_output");
  Client second(server);
  second.send({{"type", "attach"}, {"session_id", "s1"}});
  second.await_type("attach_ack");
  REQUIRE(second.connection.timer());
  CHECK(*second.connection.timer() <= limits::kReplayAfter);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const auto replayed = [&] {  // news of the session may come before it
    return std::ranges::any_of(second.received,
                               [](const json& m) { return m["type"] == "pty_replay"; });
  };
  while (!replayed() && std::chrono::steady_clock::now() < deadline) {
    second.fire_timer();
    second.turn();
    std::this_thread::yield();
  }
  CHECK(second.await_type("pty_replay")["data"] == event::encode_base64("before"));
}

TEST_CASE("SessionSocket: an attach that must not create finds nothing and makes nothing",
          "[net][sessions]") {
  Server server;
  Client client(server);
  json request = attach("s1", "exec cat");
  request["create"] = false;
  client.send(request);
  const json refused = client.await_type("error");
  CHECK(refused["code"] == "session_not_found");
  CHECK(refused["session_id"] == "s1");
  CHECK(server.registry->list().empty());
  client.send(attach("s1", "exec cat"));
  client.await_type("attach_ack");
  client.send(request);  // now it is there
  client.await_type("attach_ack");
  request["create"] = "no";
  client.send(request);
  CHECK(client.await_type("error")["code"] == "bad_message");
}

TEST_CASE("SessionSocket: a kill is told to everybody once, and unknown ids are errors",
          "[net][sessions]") {
  Server server;
  Client other(server);
  Client client(server);
  client.send(attach("s1", "echo up; exec sleep 1000"));
  client.await_type("pty_output");
  client.send({{"type", "kill_session"}, {"session_id", "s1"}});
  const auto messages = client.collect_until("session_removed");
  CHECK(messages[messages.size() - 2]["type"] == "pty_exit");
  CHECK(messages[messages.size() - 2]["exit_code"].is_null());
  CHECK(messages.back()["reason"] == "killed");
  CHECK(other.await_type("session_removed")["reason"] == "killed");
  for (const char* type : {"kill_session", "pty_input", "pty_resize"}) {
    json message = input("s1", "x");
    message["type"] = type;
    message["cols"] = message["rows"] = 10;
    client.send(message);
    const json error = client.await_type("error");
    CHECK(error["code"] == "session_not_found");
    CHECK(error["session_id"] == "s1");
  }
  CHECK(server.registry->stop());
  std::size_t removals = 0;
  for (const json& event : server.events()) {
    removals += event["type"] == "session_removed" ? 1U : 0U;
  }
  CHECK(removals == 1);
  other.turn();
  CHECK(std::none_of(other.received.begin(), other.received.end(),
                     [](const json& m) { return m["type"] == "session_removed"; }));
}

TEST_CASE("SessionSocket: an id killed and attached again at once is told as both",
          "[net][sessions]") {
  Server server;
  Client client(server);
  client.send(attach("s1", "exec sleep 1000"));
  client.await_type("attach_ack");
  client.send({{"type", "kill_session"}, {"session_id", "s1"}});
  client.send(attach("s1", "echo second; exec sleep 1000"));
  // The worst order: the client is attached to the second before it reads the first's end in the
  // log.
  std::promise<void> attached;
  server.registry->flush([&] { attached.set_value(); });
  REQUIRE(attached.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(server.await_events(4).size() == 4);
  bool removed = false;
  bool output = false;
  while (!removed || !output) {
    const json message = client.await([](const json&) { return true; });
    removed = removed || (message["type"] == "session_removed" && message["reason"] == "killed");
    output = output || message["type"] == "pty_output";
  }
}

TEST_CASE("SessionSocket: the list says whose a session is and who looks at it",
          "[net][sessions]") {
  Server server;
  Client owner(server);
  Client guest(server);
  json message = attach("s1", "exec sleep 1000");
  message["name"] = "mine";
  owner.send(message);
  owner.await_type("attach_ack");
  guest.send({{"type", "attach"}, {"session_id", "s1"}});
  guest.await_type("attach_ack");
  const auto list = [](Client& client) {
    client.send({{"type", "list_sessions"}, {"request_id", "r1"}});
    const json answer = client.await_type("session_list");
    CHECK(answer["request_id"] == "r1");
    REQUIRE(answer["sessions"].size() == 1);
    return answer["sessions"][0];
  };
  const json session = list(owner);
  CHECK(session["id"] == "s1");
  CHECK(session["name"] == "mine");
  CHECK(session["state"] == "Running");
  CHECK(session["is_owner"] == true);
  CHECK(session["subscriber_count"] == 2);
  CHECK(session["created_at"].is_number_integer());
  CHECK(session["last_activity_at"] >= session["created_at"]);
  CHECK(list(guest)["is_owner"] == false);
  guest.send({{"type", "detach"}, {"session_id", "s1"}});
  guest.send({{"type", "list_sessions"}, {"request_id", "r1"}});
  guest.await_type("session_list");
  owner.close();
  // The session survives its client.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (server.registry->find("s1")->subscriber_count > 0) {
    guest.turn();
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
  CHECK(list(guest)["state"] == "Running");
}

TEST_CASE("SessionSocket: a detached client hears no more output and still hears of the end",
          "[net][sessions]") {
  Server server;
  Client client(server);
  client.send(attach("s1", "stty -echo; printf before; read x; printf after; exit 0"));
  client.await_type("pty_output");
  client.send({{"type", "detach"}, {"session_id", "s1"}});
  client.send(input("s1", "\n"));
  const auto messages = client.collect_until("session_removed");
  CHECK(data_of(messages, "pty_output").find("after") == std::string::npos);
  CHECK(std::none_of(messages.begin(), messages.end(),
                     [](const json& m) { return m["type"] == "pty_exit"; }));
}

TEST_CASE("SessionSocket: bad messages get an error that says what is wrong", "[net][sessions]") {
  Server server;
  Client client(server);
  client.await_type("auth_context");
  struct Bad {
    std::string text;
    std::string code;
  };
  const std::string deep(100'000, '[');
  for (const Bad& bad : std::initializer_list<Bad>{
           {"no json", "bad_message"},
           {"[1]", "bad_message"},
           {deep, "bad_message"},
           {"{}", "bad_message"},
           {R"({"type":7})", "bad_message"},
           {R"({"type":"dance"})", "bad_message"},
           {R"({"type":"attach"})", "bad_message"},
           {R"({"type":"attach","session_id":5})", "bad_message"},
           {R"({"type":"attach","session_id":"s","cols":"80"})", "bad_message"},
           {R"({"type":"attach","session_id":"s","cols":80.5})", "bad_message"},
           {R"({"type":"attach","session_id":"s","name":["x"]})", "bad_message"},
           {R"({"type":"attach","session_id":"s","command":"ls"})", "bad_message"},
           {R"({"type":"attach","session_id":"s","command":[]})", "bad_message"},
           {R"({"type":"attach","session_id":"s","command":["a\u0000b"]})", "bad_message"},
           {R"({"type":"attach","session_id":""})", "bad_session_id"},
           {R"({"type":"attach","session_id":"a\u0000b"})", "bad_session_id"},
           {R"({"type":"attach","session_id":"s","cols":0})", "bad_size"},
           {R"({"type":"attach","session_id":"s","rows":-1})", "bad_size"},
           {R"({"type":"attach","session_id":"s","rows":99999999999999999999})", "bad_message"},
           {R"({"type":"attach","session_id":"s","cols":4294967376})", "bad_size"},
           {R"({"type":"attach","session_id":"s","cwd":"/nonexistent"})", "bad_cwd"},
           {R"({"type":"attach","session_id":"s","command":["no-such-program"]})", "bad_command"},
           {R"({"type":"pty_input","session_id":"s","data":"a"})", "bad_message"},
           {R"({"type":"pty_input","session_id":"s","data":"YQ"})", "bad_message"},
           {R"({"type":"pty_input","session_id":"s","data":"YR=="})", "bad_message"},
           {R"({"type":"pty_input","session_id":"s","data":" YWJj"})", "bad_message"},
           {R"({"type":"pty_input","session_id":"s"})", "bad_message"},
           {R"({"type":"pty_input","session_id":"s","data":"YQ=="})", "session_not_found"},
           {R"({"type":"pty_resize","session_id":"s","cols":80})", "bad_message"},
           {R"({"type":"list_sessions"})", "bad_message"},
           {R"({"type":"kill_session"})", "bad_message"},
           {R"({"type":"list_models","request_id":"r"})", "unsupported"},
           {R"({"type":"spawn_agent","request_id":"r","agent_type":"AdHoc"})", "unsupported"},
           {R"({"type":"create_study","request_id":"r"})", "unsupported"},
           {R"({"type":"subscribe_traces"})", "unsupported"}}) {
    INFO(bad.text.substr(0, 200));
    client.send_raw(bad.text);
    CHECK(client.await_type("error")["code"] == bad.code);
  }
  client.send(input("s", std::string(limits::kPtyInputBytesMax + 1, 'x')));
  CHECK(client.await_type("error")["code"] == "input_too_large");
  CHECK(server.registry->stop());
  CHECK(server.events().size() == 1);  // client_connected: nothing bad left a trace
}

TEST_CASE("SessionSocket: a client that asks and does not read is not read from",
          "[net][sessions]") {
  Server server;
  Client client(server);
  for (int i = 0; i < 1'000 && !client.connection.paused(); ++i) {
    client.send({{"type", "list_sessions"}, {"request_id", std::to_string(i)}});
  }
  CHECK(client.connection.paused());
  client.turn();
  CHECK(!client.connection.paused());
}

/// Types what is left of `bytes` while the client is read from; returns how much.
std::size_t type_while_read(Client& client, const std::string& id, std::string_view bytes) {
  constexpr std::size_t kPieceBytes = 40'000;
  std::size_t typed = 0;
  while (typed < bytes.size() && !client.connection.paused()) {
    client.send(input(id, std::string(bytes.substr(typed, kPieceBytes))));
    typed += std::min(kPieceBytes, bytes.size() - typed);
  }
  return typed;
}

/// Starts a session in which nobody reads until `gate` exists; then `script` runs.
void start_deaf(Client& client, const std::string& id, const std::string& gate,
                const std::string& script) {
  client.send(attach(
      id, "stty raw -echo; echo up; until [ -e '" + gate + "' ]; do sleep 0.02; done; " + script));
  client.await_type("pty_output");
}

void await_pause(Client& client, bool wanted) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (client.connection.paused() != wanted) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    client.turn();
    std::this_thread::yield();
  }
}

TEST_CASE("SessionSocket: what is typed before the program reads waits with the client, all of it",
          "[net][sessions]") {
  Server server;
  Client client(server);
  const vibes::test::TempDir dir;
  std::string bytes(4 * limits::kMiB, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 7 + i / 1'000);
  }
  start_deaf(client, "deaf", dir.path() / "gate",
             "head -c 4194304 > '" + (dir.path() / "got").string() + "'");
  std::size_t typed = 0;
  // The terminal and the session's queue take some before the client has to wait.
  while (typed < 2 * limits::kMiB) {
    typed += type_while_read(client, "deaf", std::string_view(bytes).substr(typed));
    std::promise<void> seen;
    server.registry->flush([&seen] { seen.set_value(); });
    seen.get_future().wait();
    client.turn();
    if (client.connection.paused()) {
      break;
    }
  }
  CHECK(client.connection.paused());
  CHECK(typed < 3 * limits::kPtyInputQueueBytesMax / 2);

  Client other(server);  // goes on as ever
  other.send(attach("other", "read x; exit 3"));
  other.await_type("attach_ack");
  other.send(input("other", "\n"));
  CHECK(other.await_type("pty_exit")["exit_code"] == 3);

  std::ofstream(dir.path() / "gate").put('\n');
  while (typed < bytes.size()) {
    await_pause(client, false);
    typed += type_while_read(client, "deaf", std::string_view(bytes).substr(typed));
  }
  CHECK(client.await_type("pty_exit")["exit_code"] == 0);
  std::ifstream got(dir.path() / "got", std::ios::binary);
  std::string read(bytes.size() + 1, '\0');
  got.read(read.data(), static_cast<std::streamsize>(read.size()));
  read.resize(static_cast<std::size_t>(got.gcount()));
  CHECK(read == bytes);
}

TEST_CASE("SessionSocket: the end of a session that did not read lets its client go on",
          "[net][sessions]") {
  Server server;
  Client client(server);
  const vibes::test::TempDir dir;
  start_deaf(client, "deaf", dir.path() / "never", "exit 0");
  const std::string bytes(4 * limits::kMiB, 'x');
  for (std::size_t typed = 0; typed < bytes.size(); typed += 64 * limits::kKiB) {
    client.send(input("deaf", bytes.substr(typed, 64 * limits::kKiB)));  // it does not obey
  }
  REQUIRE(client.connection.paused());
  SECTION("killed by another client") {
    Client other(server);
    other.send({{"type", "kill_session"}, {"session_id", "deaf"}});
    other.await_type("session_removed");
    await_pause(client, false);
    client.await_type("session_removed");
  }
  SECTION("or the client goes first") { client.close(); }
}

TEST_CASE("SessionSocket: a burst is bounded and no session silences another", "[net][sessions]") {
  Server server;
  Client client(server);
  client.send(attach("a", "exec yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
  client.send(attach("b", "exec yes bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"));
  // A client as slow as this one may get its share as redraws.
  const auto hear_of = [&client](const std::string& id) {
    client.await([&id](const json& m) {
      return (m["type"] == "pty_output" || m["type"] == "pty_replay") && m["session_id"] == id;
    });
  };
  for (int i = 0; i < 5; ++i) {
    hear_of("a");
    hear_of("b");
  }
  CHECK(client.connection.largest_write() < 3 * limits::kWriteChunkBytes);
  client.send({{"type", "kill_session"}, {"session_id", "a"}});
  client.send({{"type", "kill_session"}, {"session_id", "b"}});
  client.await_type("session_removed");
  client.await_type("session_removed");
}

TEST_CASE("SessionSocket: the server's stop closes with going away", "[net][sessions]") {
  Server server;
  Client client(server);
  client.send({{"type", "list_sessions"}, {"request_id", "r1"}});
  client.stop();
  client.await_type("session_list");
  client.turn();
  CHECK(client.connection.close_code() == CloseCode::going_away);
}

TEST_CASE("The HTTP side of sessions", "[net][sessions]") {
  Server server;
  const auto create = [&](const std::string& body) {
    std::promise<SessionsReply> promise;
    create_session(*server.registry, body, [&](SessionsReply reply) { promise.set_value(reply); });
    return promise.get_future().get();
  };
  const auto remove = [&](const std::string& id) {
    std::promise<SessionsReply> promise;
    delete_session(*server.registry, id, [&](SessionsReply reply) { promise.set_value(reply); });
    return promise.get_future().get();
  };
  const SessionsReply made =
      create(R"({"session_id":"s1","name":"n","command":["sleep","1000"],"cols":90,"rows":30})");
  CHECK(made.status == 201);
  CHECK(json::parse(made.body)["id"] == "s1");
  CHECK(json::parse(made.body)["cols"] == 90);
  const SessionsReply unnamed = create(R"({"command":["sleep","1000"]})");
  CHECK(unnamed.status == 201);
  CHECK(json::parse(unnamed.body)["id"].get<std::string>().size() == 36);
  CHECK(json::parse(list_sessions(*server.registry).body)["sessions"].size() == 2);
  const json claude = json::parse(list_claude_sessions(*server.registry).body)["sessions"];
  REQUIRE(claude.size() == 2);
  CHECK(parse_rfc3339(claude[0]["created_at"].get<std::string>()));

  CHECK(create(R"({"session_id":"s1"})").status == 409);
  CHECK(create("[]").status == 400);
  CHECK(create(R"({"session_id":""})").status == 400);
  CHECK(create(R"({"session_id":"s2","cwd":"/nonexistent"})").status == 400);
  CHECK(json::parse(
            create(R"({"session_id":"s2","command":["no-such-program"]})").body)["error"]["code"] ==
        "bad_command");
  CHECK(remove("s1").status == 204);
  CHECK(remove("s1").status == 404);
  CHECK(remove(json::parse(unnamed.body)["id"]).status == 204);
  CHECK(json::parse(list_sessions(*server.registry).body)["sessions"].empty());
  CHECK(server.registry->stop());
  CHECK(server.events().size() == 4);
}

TEST_CASE("SessionSocket: nothing is said of a new session before the log has it", "[net]") {
  vibes::test::TestLog log;
  HeldLog held(log.log());
  session::RegistryOptions options;
  options.environment = {"PATH=/usr/bin:/bin", "HOME=/"};
  const auto registry = *session::SessionRegistry::start(held, std::move(options));
  vibes::test::RecordingConnection connection;
  const auto endpoint = make_session_endpoint(connection, *registry, held);
  endpoint->on_open();
  std::vector<std::string> said;
  const auto hear_until = [&](const std::function<bool()>& enough) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!enough() && std::chrono::steady_clock::now() < deadline) {
      connection.settle(*endpoint);
      for (const std::string& text : connection.take_texts()) {
        said.push_back(json::parse(text)["type"]);
      }
      std::this_thread::yield();
    }
    REQUIRE(enough());
  };
  endpoint->on_message(
      R"({"type":"attach","session_id":"s1","command":["sh","-c","echo here; exec sleep 1000"]})");
  endpoint->on_message(R"({"type":"pty_resize","session_id":"s1","cols":90,"rows":30})");
  std::atomic<bool> carried_out{false};
  registry->flush([&] { carried_out = true; });
  hear_until([&] { return carried_out.load(); });
  endpoint->on_timer();
  hear_until([&] { return registry->find("s1").has_value(); });
  CHECK(said == std::vector<std::string>{"auth_context"});

  held.release();
  hear_until([&] { return std::ranges::count(said, "pty_output") > 0; });
  CHECK(log.log().end() > Offset(0));
  CHECK(said[1] == "attach_ack");
  CHECK(std::ranges::count(said, "attach_ack") == 1);
  CHECK(std::ranges::count(said, "pty_replay") == 1);
  connection.end();
  endpoint->on_close();
}

}  // namespace
}  // namespace vibes::net
