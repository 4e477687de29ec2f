// SPDX-License-Identifier: MIT
#include "eventlog/nats/options.hpp"

#include "eventlog/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using nats::NatsOptions;
using nats::parse_nats_url;

namespace {

std::string why_not(std::string_view url) {
  const auto options = parse_nats_url(url);
  REQUIRE(!options);
  CHECK(options.error().code == Errc::bad_url);
  return options.error().context;
}

bool names(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("nats URL: what is not said has a default", "[eventlog][nats]") {
  const auto options = parse_nats_url("nats://localhost");
  REQUIRE(options);
  CHECK(options->addresses() == "localhost:4222");
  CHECK(options->stream == "vibes");
  CHECK(options->subject == "vibes.events");
  CHECK(options->replicas == 1);
  CHECK(options->sync == NatsOptions::Sync::unknown);
  CHECK(options->transport == NatsOptions::Transport::tcp);
  CHECK(!options->max_bytes);
  CHECK(options->user.empty());
  CHECK(parse_nats_url("nats://localhost/")->stream == "vibes");
}

TEST_CASE("nats URL: everything that can be said is understood", "[eventlog][nats]") {
  const auto options = parse_nats_url(
      "tls://me:p%40ss%2C@a.example:4001,b.example,[::1]:4003/TEAM-1?replicas=3&subject=team.log"
      "&sync=always&max_bytes=20G&max_age=30d&duplicate_window=5m&ca=%2Fetc%2Fca.pem&cert=c.pem"
      "&key=k.pem");
  REQUIRE(options);
  CHECK(options->transport == NatsOptions::Transport::tls);
  CHECK(options->addresses() == "a.example:4001,b.example:4222,[::1]:4003");
  CHECK(options->user == "me");
  CHECK(options->password == "p@ss,");
  CHECK(options->stream == "TEAM-1");
  CHECK(options->subject == "team.log");
  CHECK(options->replicas == 3);
  CHECK(options->sync == NatsOptions::Sync::always);
  CHECK(options->max_bytes == 20ULL << 30U);
  CHECK(options->max_age == std::chrono::hours(30 * 24));
  CHECK(options->duplicate_window == std::chrono::minutes(5));
  CHECK(options->authority == "/etc/ca.pem");
  CHECK(options->certificate == "c.pem");
  CHECK(options->key == "k.pem");
}

TEST_CASE("nats URL: a user without a password is a token", "[eventlog][nats]") {
  const auto options = parse_nats_url("nats://s3cret@localhost");
  REQUIRE(options);
  CHECK(options->user == "s3cret");
  CHECK(!options->password);
}

TEST_CASE("nats URL: what people see has no secrets", "[eventlog][nats]") {
  const auto options = parse_nats_url("nats://me:s3cret@localhost/x");
  REQUIRE(options);
  CHECK(options->url() == "nats://localhost:4222/x");
  for (const char* bad :
       {"nats://me:s3cret@localhost:0/x", "nats://me:s3cret@localhost/x.y",
        "nats://me:s3c/s3cret@localhost", "nats://me:s3cret@/x", "http://me:s3cret@localhost"}) {
    CAPTURE(bad);
    CHECK(!names(why_not(bad), "s3c"));
  }
}

TEST_CASE("nats URL: a refusal names what is wrong", "[eventlog][nats]") {
  CHECK(names(why_not("nats:localhost"), "nats://HOST"));
  CHECK(names(why_not("file:///tmp"), "nats://HOST"));
  CHECK(names(why_not("nats://"), "host"));
  CHECK(names(why_not("nats://a,,b"), "host"));
  CHECK(names(why_not("nats://a:70000"), "port"));
  CHECK(names(why_not("nats://a:0"), "port"));
  CHECK(names(why_not("nats://a/with.dot"), "stream's name"));
  CHECK(names(why_not("nats://a/x/y"), "stream's name"));
  CHECK(names(why_not("nats://a/x?replicas=0"), "'replicas'"));
  CHECK(names(why_not("nats://a/x?replicas=six"), "'replicas'"));
  CHECK(names(why_not("nats://a/x?subject=a..b"), "'subject'"));
  CHECK(names(why_not("nats://a/x?subject=a.*"), "'subject'"));
  CHECK(names(why_not("nats://a/x?subject=$JS.API"), "'subject'"));
  CHECK(names(why_not("nats://a/x?sync=never"), "'sync'"));
  CHECK(names(why_not("nats://a/x?max_bytes=0"), "'max_bytes'"));
  CHECK(names(why_not("nats://a/x?max_bytes=99999999T"), "'max_bytes'"));
  CHECK(names(why_not("nats://a/x?max_age=soon"), "'max_age'"));
  CHECK(names(why_not("nats://a/x?duplicate_window=-1s"), "'duplicate_window'"));
  CHECK(names(why_not("nats://a/x?colour=red"), "'colour'"));
  CHECK(names(why_not("nats://a/x?creds="), "'creds' is empty"));
  CHECK(names(why_not("nats://a/x?creds=&replicas=1"), "'creds' is empty"));
  CHECK(names(why_not("nats://a/x?&replicas=1"), "''"));
  CHECK(names(why_not("nats://u@a/x?creds=f"), "not both"));
  CHECK(names(why_not("tls://a/x?cert=f"), "go together"));
  CHECK(names(why_not("nats://a/x?ca=f"), "tls://"));
  CHECK(names(why_not("nats://a/x#y"), "'#'"));
}
