// SPDX-License-Identifier: MIT
// The stream over a real server.
#include <csignal>
#include <future>
#include <set>
#include <thread>

#include "contract/harness.hpp"
#include "event/base64.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/wire.hpp"
#include "unit/eventlog/iggy/live_server.hpp"

namespace vibes::test {
namespace {

using namespace std::chrono_literals;
using eventlog::Errc;
using eventlog::iggy::IggyStream;
using eventlog::remote::RemoteBatch;
using eventlog::remote::RemoteMessage;

RemoteBatch batch_of(std::uint64_t first, std::uint64_t count) {
  RemoteBatch batch{.first = Offset(first), .time = {1'795'617'216'000'000}, .events = {}};
  for (std::uint64_t i = 0; i < count; ++i) {
    batch.events.push_back(with_id(numbered(first + i), random_uuid()));
  }
  return batch;
}

void open(IggyStream& stream) {
  const auto opened = stream.open(20s);
  if (!opened) {
    FAIL(opened.error().message());
  }
}

eventlog::remote::StreamFacts facts_of(IggyStream& stream) {
  const auto facts = stream.facts();
  if (!facts) {
    FAIL(facts.error().message());
  }
  return *facts;
}

Result<std::uint64_t> publish(IggyStream& stream, const RemoteBatch& batch, std::uint64_t last) {
  std::promise<Result<std::uint64_t>> answer;
  VIBES_TRY(stream.publish(batch, last, [&answer](auto sequence) { answer.set_value(sequence); }));
  return answer.get_future().get();
}

/// Everything behind `sequence` until there is nothing more, or an error.
Result<std::vector<RemoteMessage>> follow_all(IggyStream& stream, std::uint64_t sequence,
                                              std::uint64_t last) {
  std::vector<RemoteMessage> all;
  while (sequence < last) {
    auto messages = stream.follow(sequence, 1s, {});
    if (!messages && messages.error().code == Errc::unreachable) {
      continue;
    }
    VIBES_TRY_ASSIGN(taken, std::move(messages));
    for (RemoteMessage& message : taken) {
      sequence = message.sequence;
      all.push_back(std::move(message));
    }
  }
  return all;
}

std::vector<RemoteMessage> followed(IggyStream& stream, std::uint64_t sequence,
                                    std::uint64_t last) {
  auto all = follow_all(stream, sequence, last);
  if (!all) {
    FAIL(all.error().message());
  }
  return *std::move(all);
}

/// The batches among the messages, one after the other.
std::vector<std::string> payloads_of(const std::vector<RemoteMessage>& messages) {
  std::vector<std::string> payloads;
  for (const RemoteMessage& message : messages) {
    for (const event::NewEvent& event :
         message.batch ? message.batch->events : std::vector<event::NewEvent>()) {
      payloads.push_back(event.payload);
    }
  }
  return payloads;
}

}  // namespace

TEST_CASE("iggy: what is published comes back, in order, byte for byte", "[iggy]") {
  LIVE_IGGY(server);
  const auto stream = server.stream();
  open(*stream);
  const std::uint64_t before = facts_of(*stream).last_sequence;
  constexpr std::uint64_t kBatches = 300;
  std::atomic<std::uint64_t> answered = 0;
  std::vector<std::string> sent;
  Offset next;
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    RemoteBatch batch = batch_of(next.value(), 1 + i % 4);
    if (i == 7) {
      batch.events[0].payload = "{\"type\":\"n\",\r\n \"n\": \"\xc3\xa4\\u0000\"\n}";
    }
    for (const auto& event : batch.events) {
      sent.push_back(event.payload);
    }
    next = batch.end();
    const std::uint64_t expected = server.is_08() ? 0 : before + i + 1;  // 0.8 does not say
    REQUIRE(stream->publish(batch, before + i, [&answered, expected](const auto& sequence) {
      if (sequence && *sequence == expected) {
        ++answered;
        answered.notify_all();
      }
    }));
  }
  const auto messages = followed(*stream, before, before + kBatches);
  for (auto done = answered.load(); done < kBatches; done = answered.load()) {
    answered.wait(done);
  }
  REQUIRE(messages.size() == kBatches);
  CHECK(payloads_of(messages) == sent);
  CHECK(facts_of(*stream).last_sequence == before + kBatches);
  CHECK(facts_of(*stream).durability ==
        (server.is_08() ? eventlog::Durability::os : eventlog::Durability::fsync));
}

TEST_CASE("iggy: the largest message gets through, a larger one is refused", "[iggy]") {
  LIVE_IGGY(server);
  const auto stream = server.stream();
  open(*stream);
  const auto facts = facts_of(*stream);
  RemoteBatch batch = batch_of(0, 2);
  const auto pad = [](event::NewEvent& event, std::size_t bytes) {
    event.payload = R"({"type":"n","x":")" + std::string(bytes, 'x') + "\"}";
  };
  pad(batch.events[0], 1'000'000);
  pad(batch.events[1], facts.message_bytes_max - 1'001'000);
  batch.time = {253'402'300'799'000'000};
  REQUIRE(publish(*stream, batch, facts.last_sequence));
  const auto messages = followed(*stream, facts.last_sequence, facts.last_sequence + 1);
  REQUIRE(messages[0].batch);
  CHECK(messages[0].batch->events[1].payload == batch.events[1].payload);
  pad(batch.events[0], 1'010'000);
  CHECK(publish(*stream, batch, facts.last_sequence + 1).error().code == Errc::batch_too_large);
}

TEST_CASE("iggy: messages of others are told apart", "[iggy]") {
  LIVE_IGGY(server);
  const auto stream = server.stream();
  open(*stream);
  const std::uint64_t before = facts_of(*stream).last_sequence;
  const std::vector<std::string> foreign = {event::encode_base64("hello"),
                                            event::encode_base64("{\"vibes\":2}\n")};
  REQUIRE(server.post("/streams/vibes/topics/events/messages", eventlog::iggy::send_body(foreign))
              .first == 201);
  REQUIRE(publish(*stream, batch_of(0, 1), before + 2));
  const auto messages = followed(*stream, before, before + 3);
  REQUIRE(messages.size() == 3);
  CHECK_FALSE(messages[0].batch);
  CHECK(messages[0].foreign.find("does not begin") != std::string::npos);
  CHECK(messages[1].foreign.find("another version") != std::string::npos);
  CHECK(messages[2].batch);
}

TEST_CASE("iggy: everyone has the same log id, across restarts, and a topic made anew another",
          "[iggy]") {
  LIVE_IGGY(server);
  std::set<std::string> ids;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2; ++i) {
      const auto stream = server.stream();
      open(*stream);
      ids.insert(to_string(facts_of(*stream).log_id));
    }
    server.end(round == 1 ? SIGKILL : SIGTERM);
    server.start_again();
  }
  CHECK(ids.size() == 1);
  const auto other = server.stream("other");
  open(*other);
  CHECK_FALSE(ids.contains(to_string(facts_of(*other).log_id)));
}

TEST_CASE("iggy: what was answered is there after a kill -9, and a stream goes on by itself",
          "[iggy]") {
  LIVE_IGGY(server);
  const auto stream = server.stream();
  open(*stream);
  const std::uint64_t before = facts_of(*stream).last_sequence;
  std::vector<RemoteMessage> messages;
  std::uint64_t at = before;
  for (const int signal : {SIGKILL, SIGTERM, SIGKILL}) {
    for (std::uint64_t i = 0; i < 20; ++i, ++at) {
      REQUIRE(publish(*stream, batch_of(at, 1), at));
    }
    const auto part = followed(*stream, at - 20, at);
    CHECK(part.size() == 20);
    server.end(signal);
    CHECK(publish(*stream, batch_of(at, 1), at).error().code == Errc::unreachable);
    CHECK_FALSE(stream->is_connected());
    server.start_again();
    CHECK(followed(*stream, before, at).size() == at - before);
    CHECK(stream->is_connected());
  }
  CHECK(facts_of(*stream).last_sequence == at);
}

TEST_CASE("iggy: a server that comes back with less is found out", "[iggy]") {
  LIVE_IGGY(server, LiveIggy::Saving::default_settings);
  // A topic made by somebody else, with the server's own settings.
  REQUIRE(server.post("/streams", eventlog::iggy::stream_body("vibes")).first == 200);
  REQUIRE(server.post("/streams/vibes/topics", eventlog::iggy::topic_body("events", "")).first ==
          200);
  const auto stream = server.stream();
  open(*stream);
  const auto facts = facts_of(*stream);
  CHECK(facts.durability == eventlog::Durability::os);
  const std::uint64_t before = facts.last_sequence;
  for (std::uint64_t i = 0; i < 10; ++i) {
    REQUIRE(publish(*stream, batch_of(i, 1), before + i));
  }
  REQUIRE(followed(*stream, before, before + 10).size() == 10);
  server.end(SIGKILL);
  server.start_again();
  const auto nothing = follow_all(*stream, before + 10, before + 11);
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == Errc::other_settings);
  CHECK(nothing.error().message().find("lost messages " + std::to_string(before + 1) + " to " +
                                       std::to_string(before + 10)) != std::string::npos);

  // And also where another writer has filled the places meanwhile.
  const auto late = server.stream();
  open(*late);
  for (std::uint64_t i = 0; i < 12; ++i) {
    REQUIRE(publish(*late, batch_of(i, 1), before + i));
  }
  REQUIRE(followed(*late, before, before + 12).size() == 12);
  server.end(SIGKILL);
  server.start_again();
  const auto writer = server.stream();
  open(*writer);
  for (std::uint64_t i = 0; i < 20; ++i) {
    REQUIRE(publish(*writer, batch_of(i, 1), before + i));
  }
  const auto others = follow_all(*late, before + 12, before + 20);
  REQUIRE_FALSE(others);
  CHECK(others.error().message().find("lost messages") != std::string::npos);
}

TEST_CASE("iggy: a wrong password is told apart from a server that is not there", "[iggy]") {
  LIVE_IGGY(server);
  auto options = server.options();
  options.password = "wrong-password";
  IggyStream wrong(options);
  const auto refused = wrong.open(5s);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unauthorized);
  CHECK(refused.error().message().find("wrong-password") == std::string::npos);
  server.end(SIGTERM);
  const auto stream = server.stream();
  CHECK(stream->open(300ms).error().code == Errc::unreachable);
}

TEST_CASE("iggy: open waits for a server that is on its way", "[iggy]") {
  LIVE_IGGY(server);
  server.end(SIGTERM);
  const auto stream = server.stream();
  auto opened = std::async(std::launch::async, [&stream] { return stream->open(60s); });
  server.start_again();
  CHECK(opened.get());
}

TEST_CASE("iggy: a topic with other settings is refused, and told which", "[iggy]") {
  LIVE_IGGY(server);
  REQUIRE(server.post("/streams", eventlog::iggy::stream_body("vibes")).first == 200);
  const auto make = [&server](const std::string& settings) {
    REQUIRE(
        server.post("/streams/vibes/topics", R"({"compression_algorithm":"none",)" + settings + "}")
            .first == 200);
  };
  make(R"("name":"wide","partitions_count":2,"message_expiry":0,"max_topic_size":0)");
  make(R"("name":"brief","partitions_count":1,"message_expiry":1000000,"max_topic_size":0)");
  make(R"("name":"small","partitions_count":1,"message_expiry":0,"max_topic_size":2000000000)");
  const auto why = [&server](const std::string& topic) {
    const auto opened = server.stream(topic)->open(5s);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::other_settings);
    return opened.error().message();
  };
  CHECK(why("wide").find("2 partitions") != std::string::npos);
  CHECK(why("brief").find("expire") != std::string::npos);
  CHECK(why("small").find("largest size") != std::string::npos);
}

TEST_CASE("iggy: groups are kept, for all, and forgotten", "[iggy]") {
  LIVE_IGGY(server);
  {
    const auto stream = server.stream();
    open(*stream);
    const auto none = stream->groups().load();
    if (!none) {
      FAIL(none.error().message());
    }
    CHECK(none->empty());
    REQUIRE(stream->groups().store("a", Offset(5)));
    REQUIRE(stream->groups().store("b", Offset(1'000'000)));
    REQUIRE(stream->groups().store("a", Offset(7)));
  }
  server.end(SIGKILL);
  server.start_again();
  const auto stream = server.stream();
  open(*stream);
  const eventlog::remote::RemoteGroups::Offsets both = {{"a", Offset(7)}, {"b", Offset(1'000'000)}};
  CHECK(*stream->groups().load() == both);
  REQUIRE(stream->groups().remove("a"));
  CHECK(stream->groups().load()->size() == 1);
  server.end(SIGTERM);
  CHECK(stream->groups().store("b", Offset(2)).error().code == Errc::unreachable);
  CHECK(stream->groups().load().error().code == Errc::unreachable);
}

TEST_CASE("iggy: of several who store at the same time nobody undoes another's", "[iggy]") {
  LIVE_IGGY(server);
  const auto options = server.options();
  eventlog::iggy::Session session(options);
  const eventlog::iggy::Groups::Options small{.messages_max = 7};
  REQUIRE(eventlog::iggy::Groups(options, session, small).open());
  constexpr std::uint64_t kEach = 15;
  std::atomic<std::uint64_t> stored = 0;
  {
    std::vector<std::jthread> threads;
    for (const char* name : {"a", "b", "c"}) {
      threads.emplace_back([&, name] {
        eventlog::iggy::Groups groups(options, session, small);
        for (std::uint64_t i = 1; i <= kEach; ++i) {
          while (!groups.store(name, Offset(i))) {
          }
          const auto seen = groups.load();
          stored += seen && seen->contains(name) && seen->at(name) == Offset(i) ? 1U : 0U;
        }
      });
    }
  }
  CHECK(stored == 3 * kEach);
  eventlog::iggy::Groups groups(options, session, small);
  CHECK(groups.load()->size() == 3);
}

TEST_CASE("iggy: a group is held by one, until it lets go or is silent", "[iggy]") {
  LIVE_IGGY(server);
  const auto options = server.options();
  eventlog::iggy::Session session(options);
  const eventlog::iggy::Groups::Options brief{.messages_max = 4, .held_for = 200ms};
  const eventlog::iggy::Groups::Options lasting{.messages_max = 4};
  eventlog::iggy::Groups one(options, session, lasting);
  eventlog::iggy::Groups other(options, session, lasting);
  REQUIRE(one.open());
  const auto holder = [](eventlog::iggy::Groups& groups, std::string_view owner) {
    const auto held = groups.hold("g", owner);
    REQUIRE(held);
    return held->value_or("");
  };
  CHECK(holder(one, "one").empty());
  CHECK(holder(one, "one").empty());
  CHECK(holder(other, "other") == "one");
  CHECK(other.let_go("g", "other"));
  CHECK(holder(other, "other") == "one");
  REQUIRE(one.let_go("g", "one"));
  CHECK(holder(other, "other").empty());
  CHECK(holder(one, "one") == "other");
  eventlog::iggy::Groups impatient(options, session, brief);
  CHECK(holder(impatient, "third") == "other");
  while (!holder(impatient, "third").empty()) {
  }
  CHECK(holder(other, "other") == "third");
  std::atomic<int> winners = 0;
  REQUIRE(impatient.let_go("g", "third"));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        eventlog::iggy::Groups groups(options, session, lasting);
        const auto held = groups.hold("g", "racer-" + std::to_string(i));
        winners += held && !*held ? 1 : 0;
      });
    }
  }
  CHECK(winners == 1);
}

TEST_CASE("iggy: who asks for its turn is heard by the others", "[iggy]") {
  LIVE_IGGY(server);
  const auto one = server.stream();
  const auto other = server.stream();
  open(*one);
  open(*other);
  const std::uint64_t before = facts_of(*one).last_sequence;
  one->ask_for_turn();
  const auto heard = followed(*other, before, before + 1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].asks_for_turn);
  CHECK_FALSE(heard[0].batch);
  CHECK_FALSE(followed(*one, before, before + 1).at(0).asks_for_turn);
}

TEST_CASE("iggy: where groups are stored does not grow for ever", "[iggy]") {
  LIVE_IGGY(server);
  const auto options = server.options();
  eventlog::iggy::Session session(options);
  const eventlog::iggy::Groups::Options small{.messages_max = 5};
  eventlog::iggy::Groups groups(options, session, small);
  REQUIRE(groups.open());
  for (std::uint64_t i = 1; i <= 23; ++i) {
    REQUIRE(groups.store("a", Offset(i)));
    eventlog::iggy::Groups other(options, session, small);
    CHECK(other.load()->at("a") == Offset(i));
  }
  for (const std::string& topic : options.groups_topics()) {
    const auto found = eventlog::iggy::parse_topic(server.ask(options.topic_path(topic)).second);
    REQUIRE(found);
    CHECK(found->messages <= 5);
  }
}

TEST_CASE("iggy: follow ends when it is told to, and close answers what waits", "[iggy]") {
  LIVE_IGGY(server);
  const auto stream = server.stream();
  open(*stream);
  const std::uint64_t last = facts_of(*stream).last_sequence;
  std::stop_source stop;
  auto following = std::async(std::launch::async, [&] {
    return stream->follow(last, std::chrono::hours(1), stop.get_token());
  });
  stop.request_stop();
  const auto messages = following.get();
  REQUIRE(messages);
  CHECK(messages->empty());
  std::atomic<int> answers = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    REQUIRE(stream->publish(batch_of(i, 1), last + i, [&answers](const auto& sequence) {
      CHECK((sequence || sequence.error().code == Errc::indeterminate));
      ++answers;
    }));
  }
  stream->close();
  CHECK(answers == 50);
  CHECK_FALSE(stream->publish(batch_of(0, 1), last, [](const auto&) {}));
}

}  // namespace vibes::test
