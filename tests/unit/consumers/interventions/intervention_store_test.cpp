// SPDX-License-Identifier: MIT
#include "consumers/interventions/intervention_store.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "consumers/interventions/intervention_handler.hpp"
#include "event/intervention_delivery.hpp"
#include "io/sim_disk.hpp"
#include "support/test_log.hpp"
#include "unit/consumers/fixture.hpp"

namespace vibes::consumers {
namespace {

constexpr const char* kState = "/state/interventions.json";

Uuid id(const std::string& name) { return name_uuid(kUrlNamespace, name); }

struct World {
  explicit World(std::optional<std::uint64_t> retained_bytes = std::nullopt)
      : log(options(clock, retained_bytes)) {
    REQUIRE(disk->make_directory("/state"));
    REQUIRE(disk->sync_directory("/"));
  }
  /// What was not synced is lost.
  void crash() {
    disk = std::make_unique<io::SimDisk>(disk->state().crashed([](std::size_t) { return false; }));
  }

  std::unique_ptr<InterventionStore> open(Offset start = Offset(1)) {
    auto store = std::make_unique<InterventionStore>(
        InterventionStore::Places{log.log(), *disk, kState, clock});
    REQUIRE(store->restart(start));
    return store;
  }
  /// Returns its event_id.
  Uuid intervene(const std::string& session, const std::string& message) {
    const auto receipt = log.append(R"({"type":"intervention","session_id":")" + session +
                                    R"(","kind":"k","reason":"r","message":")" + message + "\"}");
    return receipt.places[0].event_id;
  }
  void deliver(const std::string& session, const Uuid& intervention, const std::string& hook) {
    log.append({event::make_intervention_delivered({session, intervention, id(hook)})});
  }
  /// Gives the handler every event from there on.
  void hand_over(Handler& handler, Offset from) {
    auto reader = log.log().reader(from);
    REQUIRE(reader);
    while ((*reader)->position() < log.log().end()) {
      const auto batch = (*reader)->read({});
      REQUIRE(batch);
      for (const event::EventView& event : batch->events) {
        REQUIRE(handler.handle(event, 1).kind == Outcome::Kind::ok);
      }
    }
  }
  static std::string ask(InterventionStore& store, const std::string& session,
                         const std::string& hook) {
    const auto handout = store.hand_out(session, id(hook));
    return handout ? handout->context : std::string();
  }

  test::ManualClock clock;
  test::TestLog log;
  std::unique_ptr<io::SimDisk> disk = std::make_unique<io::SimDisk>();

 private:
  static eventlog::LogOptions options(const Clock& clock,
                                      std::optional<std::uint64_t> retained_bytes) {
    eventlog::LogOptions options;
    options.clock = &clock;
    options.retention.bytes = retained_bytes;
    return options;
  }
};

TEST_CASE("InterventionStore: nothing is handed out before it knows its state", "[interventions]") {
  World world;
  world.intervene("s", "one");
  InterventionStore store({world.log.log(), *world.disk, kState, world.clock});
  CHECK(World::ask(store, "s", "h").empty());
  REQUIRE(store.restart(Offset()));
  CHECK(World::ask(store, "s", "h") == "one");
}

TEST_CASE("InterventionStore: who asks is answered from the log as it is, however late the group",
          "[interventions]") {
  World world;
  const auto store = world.open(Offset());
  const Uuid one = world.intervene("s", "one");
  CHECK(World::ask(*store, "s", "h1") == "one");
  world.deliver("s", one, "h1");
  // By now nobody holds it: only the log knows that it was delivered.
  world.clock.now_us += std::chrono::microseconds(2 * limits::kInterventionHeldFor).count();
  CHECK(World::ask(*store, "s", "h2").empty());
}

TEST_CASE("InterventionStore: where the group is far behind nothing is handed out",
          "[interventions]") {
  World world;
  const auto store = world.open(Offset());
  world.intervene("s", "one");
  world.log.append_many(20'000, "note", "s");
  CHECK(World::ask(*store, "s", "h").empty());
  world.hand_over(*gather_interventions(*store)(Offset()), Offset());
  CHECK(World::ask(*store, "s", "h") == "one");
}

TEST_CASE("InterventionStore: long events in between are read in slices", "[interventions]") {
  World world;
  const auto store = world.open(Offset());
  world.intervene("s", "one");
  world.log.append_many(6, "note", "s", limits::kMiB / 2);
  CHECK(World::ask(*store, "s", "h") == "one");
}

TEST_CASE(
    "InterventionStore: what was saved is there after a crash, and what was not is read again",
    "[interventions]") {
  World world;
  world.log.append(R"({"type":"note"})");
  const Uuid one = world.intervene("s", "one");
  Offset settled;
  {
    const auto store = world.open(Offset());
    const auto handler = gather_interventions(*store)(Offset());
    world.hand_over(*handler, Offset());
    settled = *handler->settle(world.log.log().end(), Handler::Occasion::routine);
    CHECK(settled == world.log.log().end());
    world.intervene("s", "two");
    world.deliver("s", one, "h1");
    world.hand_over(*handler, settled);
  }
  world.crash();
  const auto store = world.open(settled);
  CHECK(World::ask(*store, "s", "h2") == "two");
  CHECK(World::ask(*store, "s", "h1") == "one");
  const auto handler = gather_interventions(*store)(settled);
  world.hand_over(*handler, Offset());  // more than was asked for: it knows
  CHECK(World::ask(*store, "s", "h2") == "two");
}

TEST_CASE("InterventionStore: it writes only when something has changed", "[interventions]") {
  World world;
  const auto store = world.open(Offset());
  world.intervene("s", "one");
  CHECK(World::ask(*store, "s", "h") == "one");
  REQUIRE(store->save());
  REQUIRE(world.disk->exists(kState).value());
  REQUIRE(world.disk->remove(kState));
  world.log.append(R"({"type":"note"})");
  CHECK(World::ask(*store, "t", "h").empty());
  REQUIRE(store->save());
  CHECK_FALSE(world.disk->exists(kState).value());
}

TEST_CASE("InterventionStore: where retention has taken all that was read, what waits is kept",
          "[interventions]") {
  World world(8 * limits::kKiB);
  world.intervene("s", "one");
  {
    const auto store = world.open(Offset());
    CHECK(World::ask(*store, "s", "h") == "one");
    REQUIRE(store->save());
  }
  world.log.append_many(64, "note", "s", limits::kKiB);
  REQUIRE(world.log.log().first() > Offset(1));
  auto store = world.open(world.log.log().first());
  CHECK(World::ask(*store, "s", "h") == "one");
  store = world.open(Offset());  // a reset: the log no longer knows it
  CHECK(World::ask(*store, "s", "h").empty());
}

TEST_CASE("InterventionStore: a state that is damaged or another log's is an error until a reset",
          "[interventions]") {
  World world;
  world.intervene("s", "one");
  {
    const auto store = world.open(Offset());
    CHECK(World::ask(*store, "s", "h") == "one");
    REQUIRE(store->save());
  }
  const std::string damage = GENERATE("cut short", "of another log", "empty");
  INFO(damage);
  std::vector<std::byte> state = world.disk->contents(kState);
  if (damage == "of another log") {
    state[0] = state[0] == std::byte{'0'} ? std::byte{'1'} : std::byte{'0'};
  } else {
    state.resize(damage == "empty" ? 0 : state.size() - 3);
  }
  world.disk->set_contents(kState, state);
  InterventionStore store({world.log.log(), *world.disk, kState, world.clock});
  const auto started = store.restart(Offset(1));
  REQUIRE_FALSE(started);
  CHECK(started.error().code == std::make_error_code(std::errc::bad_message));
  CHECK(started.error().message().find(kState) != std::string::npos);
  CHECK(World::ask(store, "s", "h").empty());
  REQUIRE(store.restart(Offset()));
  SECTION("then it reads the log again") { CHECK(World::ask(store, "s", "h") == "one"); }
  SECTION("and writes another state, though nothing has happened") {
    REQUIRE(store.save());
    CHECK(world.open(Offset(1)));
  }
}

TEST_CASE("InterventionHandler: an event that is not what it says is a dead letter",
          "[interventions]") {
  World world;
  const auto store = world.open(Offset());
  const auto handler = gather_interventions(*store)(Offset());
  const event::EventView bad{Offset(), id("bad"), {}, "intervention", "s", "{}"};
  CHECK(handler->handle(bad, 1).kind == Outcome::Kind::reject);
}

}  // namespace
}  // namespace vibes::consumers
