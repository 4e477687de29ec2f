// SPDX-License-Identifier: MIT
#include "verify/http_sink.hpp"

#include <thread>

#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "support/catch.hpp"
#include "verify/errc.hpp"

using namespace vibes;
using namespace vibes::verify;

namespace {

client::Deadline soon() { return client::within(std::chrono::seconds(20)); }

/// A client of its own for each request, as the sink closes every connection.
Result<client::HttpResponse> post(const HttpSink& sink, const std::string& body,
                                  client::Deadline deadline) {
  client::HttpClient http({.endpoint = *client::parse_endpoint(sink.url()), .token = ""});
  return http.send(
      {.method = "POST", .path = "/a/b?c", .headers = {{"X-Mark", "one two"}}, .body = body},
      deadline);
}

std::unique_ptr<HttpSink> start() {
  auto sink = HttpSink::start();
  REQUIRE(sink);
  return *std::move(sink);
}

}  // namespace

TEST_CASE("http sink: requests are kept in their order and answered", "[verify][http_sink]") {
  const auto sink = start();
  const std::string big(500'000, 'x');
  for (const std::string& body : {std::string("first"), big, std::string()}) {
    const auto answer = post(*sink, body, soon());
    REQUIRE(answer);
    CHECK(answer->status == 200);
  }
  const auto first = sink->next(soon());
  REQUIRE(first);
  CHECK(first->path == "/a/b?c");
  CHECK(first->header("x-mark") == std::string_view("one two"));
  CHECK_FALSE(first->header("x-other"));
  CHECK(first->body == "first");
  CHECK(sink->next(soon())->body == big);
  CHECK(sink->next(soon())->body.empty());
  const auto none = sink->next(client::within(std::chrono::milliseconds(0)));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::timeout);
}

TEST_CASE("http sink: while it hangs it takes requests and answers none, later all of them",
          "[verify][http_sink]") {
  const auto sink = start();
  sink->hang();
  int status = 0;
  std::jthread client([&] {
    if (const auto answer = post(*sink, "hangs", soon())) {
      status = answer->status;
    }
  });
  CHECK(sink->next(soon())->body == "hangs");
  const auto given_up = post(*sink, "too", client::within(std::chrono::milliseconds(50)));
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == client::Errc::timed_out);
  sink->answer();
  client.join();
  CHECK(status == 200);
  CHECK(post(*sink, "after", soon())->status == 200);
}
