// SPDX-License-Identifier: MIT
#include "net/host_origin.hpp"

#include "support/catch.hpp"

namespace vibes::net {
namespace {

HostRules rules() {
  HostRules made;
  made.add("127.0.0.1", 7432);
  return made;
}

TEST_CASE("HostRules: our own names with our port are ours", "[net]") {
  for (const char* host : {"127.0.0.1:7432", "localhost:7432", "[::1]:7432"}) {
    CHECK(rules().host_ok({host}));
    CHECK(rules().origin_ok({std::string("http://") + host}));
  }
}

TEST_CASE("HostRules: any other Host is foreign", "[net]") {
  for (const char* host :
       {"", "127.0.0.1", "localhost", "127.0.0.1:7433", "127.0.0.1:74320", "evil.example",
        "evil.example:7432", "127.0.0.1.evil.example:7432", "localhost.:7432", "LOCALHOST:7432",
        "user@localhost:7432", " localhost:7432", "localhost:7432 ", "::1:7432"}) {
    INFO(host);
    CHECK_FALSE(rules().host_ok({host}));
  }
}

TEST_CASE("HostRules: Host is there once", "[net]") {
  CHECK_FALSE(rules().host_ok({}));
  CHECK_FALSE(rules().host_ok({"localhost:7432", "localhost:7432"}));
}

TEST_CASE("HostRules: any other Origin is foreign, none is fine", "[net]") {
  CHECK(rules().origin_ok({}));
  for (const char* origin :
       {"", "null", "file://", "https://localhost:7432", "http://localhost:7432/",
        "http://localhost:7432.evil.example", "http://localhost", "chrome-extension://x"}) {
    INFO(origin);
    CHECK_FALSE(rules().origin_ok({origin}));
  }
  CHECK_FALSE(rules().origin_ok({"http://localhost:7432", "http://localhost:7432"}));
}

TEST_CASE("HostRules: on port 80 a browser leaves the port out", "[net]") {
  HostRules http;
  http.add("127.0.0.1", 80);
  CHECK(http.host_ok({"localhost"}));
  CHECK(http.origin_ok({"http://localhost"}));
}

TEST_CASE("HostRules: every address we listen on is ours with its own port only", "[net]") {
  HostRules two = rules();
  two.add("127.0.0.2", 8000);
  CHECK(two.host_ok({"127.0.0.2:8000"}));
  CHECK(two.host_ok({"localhost:8000"}));
  CHECK_FALSE(two.host_ok({"127.0.0.2:7432"}));
}

TEST_CASE("refuse_foreign: the unix socket is out of a browser's reach", "[net]") {
  RequestHead head;
  head.hosts = {"anything"};
  head.origins = {"http://evil.example"};
  CHECK_FALSE(refuse_foreign(head, rules(), Transport::unix_socket));
  CHECK(refuse_foreign(head, rules(), Transport::tcp)->status == 421);
  head.hosts = {"localhost:7432"};
  CHECK(refuse_foreign(head, rules(), Transport::tcp)->status == 403);
  head.origins.clear();
  CHECK_FALSE(refuse_foreign(head, rules(), Transport::tcp));
  head.sec_fetch_site = "cross-site";
  CHECK(refuse_foreign(head, rules(), Transport::tcp)->status == 403);
}

}  // namespace
}  // namespace vibes::net
