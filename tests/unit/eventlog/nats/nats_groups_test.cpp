// SPDX-License-Identifier: MIT
#include "nats_fixture.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using test::NatsServer;
using test::open_stream;

TEST_CASE("NatsStream: groups are kept beside the stream, for all who use it", "[eventlog][nats]") {
  NatsServer server;
  auto stream = open_stream(server.url());
  CHECK(stream->groups().load()->empty());
  const std::vector<std::string> names = {"a", ".a.b.", "_x-1", std::string(128, 'z')};
  for (std::size_t i = 0; i < names.size(); ++i) {
    REQUIRE(stream->groups().store(names[i], Offset(i)));
  }
  REQUIRE(stream->groups().store("a", Offset(UINT64_MAX)));
  auto other = open_stream(server.url());
  auto groups = other->groups().load();
  REQUIRE(groups);
  CHECK(groups->size() == names.size());
  CHECK(groups->at("a") == Offset(UINT64_MAX));
  CHECK(groups->at(".a.b.") == Offset(1));
  CHECK(groups->at(names[3]) == Offset(3));
  REQUIRE(other->groups().remove(".a.b."));
  REQUIRE(other->groups().remove("never-was"));
  server.kill();
  CHECK(!other->groups().store("a", Offset(1)));
  server.start_again();
  groups = open_stream(server.url())->groups().load();
  REQUIRE(groups);
  CHECK(groups->size() == names.size() - 1);
  CHECK(!groups->contains(".a.b."));
  CHECK(open_stream(server.url("/another"))->groups().load()->empty());
}

TEST_CASE("NatsStream: a group that cannot be stored is unreachable", "[eventlog][nats]") {
  NatsServer server;
  auto stream = open_stream(server.url());
  REQUIRE(stream->groups().store("a", Offset(1)));
  server.stop();
  for (const auto& result :
       {stream->groups().store("a", Offset(2)), stream->groups().remove("a")}) {
    REQUIRE(!result);
    CHECK(result.error().code == Errc::unreachable);
  }
  const auto loaded = stream->groups().load();
  REQUIRE(!loaded);
  CHECK(loaded.error().code == Errc::unreachable);
}
