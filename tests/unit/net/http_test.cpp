// SPDX-License-Identifier: MIT
#include "net/http.hpp"

#include "net/append_response.hpp"
#include "net/event_source.hpp"
#include "net/router.hpp"
#include "support/catch.hpp"

namespace vibes::net {
namespace {

TEST_CASE("QueryString: names, values, and what comes first", "[net]") {
  QueryString query;
  query.add("a=1");
  query.add("a=2");
  query.add("empty=");
  query.add("bare");
  query.add("sum=1+1=2");
  CHECK(query.get("a") == "1");
  CHECK(query.get("empty") == "");
  CHECK(query.get("bare") == "");
  CHECK(query.get("sum") == "1+1=2");
  CHECK_FALSE(query.get("b"));
  CHECK_FALSE(query.get("A"));
}

TEST_CASE("receipt_response: pending events have ids and no offsets", "[net]") {
  eventlog::AppendReceipt receipt;
  receipt.durability = eventlog::Durability::fsync;
  receipt.places.push_back({Offset(7), *parse_uuid("0190a1b2-0000-7000-8000-00000000000a"), false});
  const Response placed = receipt_response(receipt);
  CHECK(placed.status == 200);
  CHECK(placed.body == R"({"first_offset":7,"last_offset":7,"count":1,"durability":"fsync",)"
                       R"("event_ids":["0190a1b2-0000-7000-8000-00000000000a"],"duplicates":0})");
  CHECK(receipt_response(receipt, AckIds::without).body ==
        R"({"first_offset":7,"last_offset":7,"count":1,"durability":"fsync","duplicates":0})");
  receipt.pending = true;
  const Response pending = receipt_response(receipt, AckIds::without);
  CHECK(pending.status == 202);
  CHECK(pending.body == R"({"pending":true,"count":1,"durability":"fsync",)"
                        R"("event_ids":["0190a1b2-0000-7000-8000-00000000000a"],"duplicates":0})");
}

TEST_CASE("append_error: an engine that is away is a matter of time", "[net]") {
  const Response response = append_error({eventlog::Errc::unreachable, "nats://there"});
  CHECK(response.status == 503);
  CHECK(response.headers == std::vector<std::pair<std::string, std::string>>{{"Retry-After", "1"}});
  CHECK(response.body.find(R"("code":"engine_unreachable")") != std::string::npos);
  CHECK(response.body.find("the engine cannot be reached") != std::string::npos);
}

Router sample() {
  Router router;
  router.add(Method::get, "/api/things", Access::token, nullptr);
  router.add(Method::post, "/api/things", Access::token, nullptr);
  router.add(Method::get, "/api/things/*", Access::open, nullptr);
  router.add(Method::get, "/api/things/*/parts/*", Access::token, nullptr);
  router.add({.path = "/ws/stream", .plan = nullptr});
  return router;
}

TEST_CASE("Router: a star stands for one segment that is not empty", "[net]") {
  const Router router = sample();
  CHECK(router.find(Method::get, "/api/things").route != nullptr);
  CHECK(router.find(Method::get, "/api/things/7").captures == std::vector<std::string>{"7"});
  CHECK(router.find(Method::get, "/api/things/7/parts/x").captures ==
        std::vector<std::string>{"7", "x"});
  for (const char* path : {"", "/", "/api", "/api/things/", "/api/things/7/", "/api/things/7/parts",
                           "/api/thing", "api/things", "/API/things"}) {
    INFO(path);
    const Router::Match match = router.find(Method::get, path);
    CHECK(match.route == nullptr);
    CHECK(match.allow.empty());
  }
}

TEST_CASE("Router: a known path with another method says what it takes", "[net]") {
  const Router::Match match = sample().find(Method::remove, "/api/things");
  CHECK(match.route == nullptr);
  CHECK(match.allow == "GET, POST");
}

TEST_CASE("Router: HEAD is served as GET is", "[net]") {
  const Router router = sample();
  CHECK(router.find(Method::head, "/api/things").route ==
        router.find(Method::get, "/api/things").route);
}

TEST_CASE("Router: WebSockets are found by their exact path", "[net]") {
  const Router router = sample();
  CHECK(router.find_websocket("/ws/stream") != nullptr);
  CHECK(router.find_websocket("/ws/stream/") == nullptr);
  CHECK(router.find_websocket("/ws") == nullptr);
}

TEST_CASE("error_response: the message is escaped, line and reason are there when known", "[net]") {
  CHECK(error_response(400, "bad", "a \"quote\"\n").body ==
        R"({"error":{"code":"bad","message":"a \"quote\"\n"}})");
  const Response full =
      error_response({.status = 409, .code = "c", .message = "m", .reason = "r", .line = 3});
  CHECK(full.status == 409);
  CHECK(full.body == R"({"error":{"code":"c","message":"m","reason":"r","line":3}})");
}

TEST_CASE("response_head: every answer carries the security headers", "[net]") {
  const std::string head = response_head(200, "text/plain", 5, {{"X-Extra", "1"}});
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
  for (const char* line :
       {"Content-Type: text/plain\r\n", "Content-Length: 5\r\n", "X-Extra: 1\r\n",
        "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
        "frame-ancestors 'none'", "Connection: close\r\n"}) {
    INFO(line);
    CHECK(head.find(line) != std::string::npos);
  }
  const std::string none = response_head(204, "text/plain", 0, {});
  CHECK(none.find("\r\nContent-Type") == std::string::npos);
  CHECK(none.find("\r\nContent-Length") == std::string::npos);
}

TEST_CASE("append_sse_data: every line of a text is a data line", "[net]") {
  std::string out;
  append_sse_data(out, "one");
  append_sse_data(out, "");
  append_sse_data(out, "a\nb\rc");
  CHECK(out == "data: one\ndata: \ndata: a\ndata: b\ndata: c\n");
}

}  // namespace
}  // namespace vibes::net
