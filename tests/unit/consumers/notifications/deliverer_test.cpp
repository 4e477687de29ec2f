// SPDX-License-Identifier: MIT
#include "consumers/notifications/deliverer.hpp"

#include <array>
#include <future>

#include "unit/consumers/notifications/http_endpoint.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace vibes::test;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<Deliverer> deliverer(DelivererOptions options = {}) {
  if (options.retry_first == 1s) {
    options.retry_first = 1ms;
  }
  auto started = Deliverer::start(options);
  REQUIRE(started);
  return *std::move(started);
}

std::future<Delivered> post(Deliverer& to, const std::string& url, const std::string& body = "x") {
  auto endpoint = parse_endpoint(url);
  REQUIRE(endpoint);
  const auto answer = std::make_shared<std::promise<Delivered>>();
  to.post({*endpoint, {"Content-Type: text/plain"}, body},
          [answer](const Delivered& delivered) { answer->set_value(delivered); });
  return answer->get_future();
}

}  // namespace

TEST_CASE("parse_endpoint: https anywhere, http only to this machine", "[notifications]") {
  for (const char* url : {"https://ntfy.sh/topic", "http://127.0.0.1:8080/x", "http://localhost/x",
                          "http://[::1]:1/", "http://127.9.9.9/"}) {
    CAPTURE(url);
    CHECK(parse_endpoint(url));
  }
  for (const char* url :
       {"http://example.com/", "ftp://localhost/", "file:///etc/passwd", "", "https://",
        "https://a b/", "https://u:p@example.com/", "http://localhost.example.com/",
        "http://127.0.0.1.example.com/", "https://e/\r\nX: y", "javascript:alert(1)"}) {
    CAPTURE(url);
    CHECK(!parse_endpoint(url));
  }
  CHECK(parse_endpoint("https://ntfy.sh:8443/topic?x=1")->root == "https://ntfy.sh:8443");
}

TEST_CASE("Deliverer: a request arrives as it was given, and its status says what became of it",
          "[notifications]") {
  struct Expected {
    const char* status;
    Delivered::Kind kind;
  };
  for (const auto& [status, kind] : {Expected{"201 Created", Delivered::Kind::sent},
                                     Expected{"404 Not Found", Delivered::Kind::gone},
                                     Expected{"410 Gone", Delivered::Kind::gone},
                                     Expected{"400 Bad Request", Delivered::Kind::refused}}) {
    CAPTURE(status);
    HttpEndpoint endpoint({HttpEndpoint::status(status)});
    const auto to = deliverer();
    const Delivered delivered = post(*to, endpoint.url("/a?b=c"), "hello").get();
    CHECK(delivered.kind == kind);
    CHECK(delivered.attempts == 1);
    REQUIRE(endpoint.requests().size() == 1);
    CHECK(endpoint.requests()[0].starts_with("POST /a?b=c HTTP/1.1\r\n"));
    CHECK(endpoint.requests()[0].find("Content-Type: text/plain\r\n") != std::string::npos);
    CHECK(endpoint.requests()[0].ends_with("\r\n\r\nhello"));
  }
}

TEST_CASE("Deliverer: a redirect is not followed", "[notifications]") {
  HttpEndpoint elsewhere({HttpEndpoint::status("200 OK")});
  HttpEndpoint endpoint(
      {HttpEndpoint::status("307 Temporary Redirect", "Location: " + elsewhere.url() + "\r\n")});
  const auto to = deliverer();
  CHECK(post(*to, endpoint.url()).get().kind == Delivered::Kind::refused);
  CHECK(elsewhere.requests().empty());
}

TEST_CASE("Deliverer: 429 and 5xx are tried again, and given up after five tries",
          "[notifications]") {
  HttpEndpoint recovers({HttpEndpoint::status("503 Unavailable"), HttpEndpoint::status("429 Slow"),
                         HttpEndpoint::status("200 OK")});
  HttpEndpoint broken({HttpEndpoint::status("500 Broken")});
  const auto to = deliverer();
  const Delivered good = post(*to, recovers.url()).get();
  CHECK(good.kind == Delivered::Kind::sent);
  CHECK(good.attempts == 3);
  const Delivered bad = post(*to, broken.url()).get();
  CHECK(bad.kind == Delivered::Kind::given_up);
  CHECK(bad.attempts == 5);
  CHECK(bad.detail == "HTTP status 500");
  CHECK(broken.requests().size() == 5);
}

TEST_CASE("Deliverer: Retry-After is waited for, up to a limit", "[notifications]") {
  HttpEndpoint busy({HttpEndpoint::status("429 Slow", "Retry-After: 1\r\n"),
                     HttpEndpoint::status("429 Slow", "Retry-After: 86400\r\n"),
                     HttpEndpoint::status("200 OK")});
  DelivererOptions options;
  options.retry_after_max = 1s;
  const auto to = deliverer(options);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(post(*to, busy.url()).get().kind == Delivered::Kind::sent);
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 2s);
  CHECK(took < 30s);
}

TEST_CASE("Deliverer: an endpoint that hangs delays no other and is given up", "[notifications]") {
  const SilentEndpoint hung;
  HttpEndpoint good({HttpEndpoint::status("200 OK")});
  DelivererOptions options;
  options.within = 1s;
  const auto to = deliverer(options);
  auto stuck = post(*to, hung.url());
  for (int i = 0; i < 20; ++i) {
    CHECK(post(*to, good.url()).get().kind == Delivered::Kind::sent);
  }
  CHECK(stuck.wait_for(0s) == std::future_status::timeout);
  const Delivered delivered = stuck.get();
  CHECK(delivered.kind == Delivered::Kind::given_up);
  CHECK(delivered.attempts == 5);
}

TEST_CASE("Deliverer: many endpoints that hang do not take every transfer", "[notifications]") {
  DelivererOptions options;
  options.within = 200ms;
  options.transfers_max = 4;
  const std::array<SilentEndpoint, 12> hung;
  HttpEndpoint good({HttpEndpoint::status("200 OK")});
  std::string last_in_turn = good.url();
  last_in_turn.replace(last_in_turn.find("127.0.0.1"), 9, "localhost");
  const auto to = deliverer(options);
  std::vector<std::future<Delivered>> stuck;
  for (const SilentEndpoint& one : hung) {
    stuck.push_back(post(*to, one.url()));
  }
  CHECK(post(*to, last_in_turn).get().kind == Delivered::Kind::sent);
  for (const auto& one : stuck) {
    CHECK(one.wait_for(0s) == std::future_status::timeout);
  }
}

TEST_CASE("Deliverer: what comes while too much waits is told so, and the end does not wait",
          "[notifications]") {
  const SilentEndpoint hung;
  DelivererOptions options;
  options.waiting_max = 2;
  std::vector<std::future<Delivered>> stuck;
  const auto begin = std::chrono::steady_clock::now();
  {
    const auto to = deliverer(options);
    for (int i = 0; i < 3; ++i) {  // one under way, two wait
      stuck.push_back(post(*to, hung.url()));
    }
    CHECK(post(*to, hung.url()).get().kind == Delivered::Kind::crowded);
  }
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  for (auto& one : stuck) {
    CHECK_THROWS_AS(one.get(), std::future_error);  // never reported
  }
}

TEST_CASE("Deliverer: an endpoint that answers without end is broken off", "[notifications]") {
  HttpEndpoint endless({"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n" +
                        std::string(900'000, 'x')});
  const auto to = deliverer();
  CHECK(post(*to, endless.url()).get().kind == Delivered::Kind::sent);
}

TEST_CASE("Deliverer: where nothing listens is tried again and given up", "[notifications]") {
  std::string url;
  {
    const SilentEndpoint was_there;
    url = was_there.url();
  }
  const auto to = deliverer();
  const Delivered delivered = post(*to, url).get();
  CHECK(delivered.kind == Delivered::Kind::given_up);
  CHECK(delivered.attempts == 5);
}
