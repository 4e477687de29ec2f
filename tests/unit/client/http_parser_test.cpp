// SPDX-License-Identifier: MIT
#include "client/http_parser.hpp"

#include "client/errc.hpp"
#include "support/catch.hpp"

using vibes::client::http_error;
using vibes::client::HttpParser;
using vibes::client::HttpResponse;

namespace {

/// Feeds the answer in pieces of `step` bytes, then the end of the stream.
vibes::Result<HttpResponse> parsed(std::string_view answer, std::size_t step) {
  HttpParser parser;
  std::string pending;
  while (!answer.empty() && !parser.is_done()) {
    pending += answer.substr(0, step);
    answer.remove_prefix(std::min(step, answer.size()));
    VIBES_TRY(parser.feed(pending));
  }
  if (!parser.is_done()) {
    VIBES_TRY(parser.finish());
  }
  return parser.take();
}

std::string body_of(std::string_view answer) {
  std::string first;
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{4'096}}) {
    const auto response = parsed(answer, step);
    const std::string body = response ? std::to_string(response->status) + " " + response->body
                                      : response.error().code.message();
    if (first.empty()) {
      first = body;
    }
    CHECK(body == first);
  }
  return first;
}

}  // namespace

TEST_CASE("http: a body ends by its length, its chunks or the stream", "[client][http]") {
  CHECK(body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") == "200 hello");
  CHECK(body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n") == "200 hello world");
  CHECK(body_of("HTTP/1.0 200 OK\r\n\r\nto the end") == "200 to the end");
  CHECK(body_of("HTTP/1.1 204 No Content\r\n\r\n") == "204 ");
  CHECK(body_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == "200 ");
}

TEST_CASE("http: an interim answer is passed over", "[client][http]") {
  CHECK(body_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") ==
        "200 ok");
}

TEST_CASE("http: an answer cut short is a lost connection", "[client][http]") {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    CHECK(body_of(answer) == "the connection was lost");
  }
}

TEST_CASE("http: what is no HTTP is refused", "[client][http]") {
  for (const char* answer :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    INFO(answer);
    CHECK(body_of(answer) == "the server's answer makes no sense");
  }
}

TEST_CASE("http: a connection is kept unless the server says otherwise", "[client][http]") {
  const auto keeps = [](std::string text) {
    HttpParser parser;
    REQUIRE(parser.feed(text));
    return parser.keeps_connection();
  };
  CHECK(keeps("HTTP/1.1 204 x\r\n\r\n"));
  CHECK_FALSE(keeps("HTTP/1.1 204 x\r\nConnection: Close\r\n\r\n"));
  CHECK_FALSE(keeps("HTTP/1.0 204 x\r\n\r\n"));
}

TEST_CASE("http: an error says what the server said", "[client][http]") {
  using vibes::client::Errc;
  const auto error = [](int status, std::string body) {
    return http_error(HttpResponse{status, {}, std::move(body)});
  };
  const auto bad = error(400, R"({"error":{"code":"invalid_event","message":"no type","line":3}})");
  CHECK(bad.code == make_error_code(Errc::rejected));
  CHECK(bad.context == "invalid_event: no type (line 3)");
  CHECK(error(409, R"({"error":{"code":"cursor_mismatch","message":"m"}})").code ==
        make_error_code(Errc::cursor_unusable));
  CHECK(error(409, "{}").code == make_error_code(Errc::conflict));
  CHECK(error(401, "").context == "HTTP status 401");
  CHECK(error(401, "").code == make_error_code(Errc::unauthorized));
  CHECK(error(404, R"({"error":"Subscription not found"})").context == "Subscription not found");
  CHECK(error(507, "[]").code == make_error_code(Errc::disk_full));
}
