// SPDX-License-Identifier: MIT
#include "net/event_stream.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "firehose_fixture.hpp"
#include "net/raw_frames.hpp"

namespace vibes::net {
namespace {

event::Filter types(std::string_view list) { return *event::Filter::parse(list, std::nullopt); }

/// A log longer than the ring, with two clients that keep the ring filled.
struct Replay {
  static constexpr std::size_t kEvents = 8'000;
  static constexpr std::size_t kEventBytes = 2'000;

  test::FirehoseServer server;
  consumers::Broadcaster::Attachment one = server.ring.attach();
  consumers::Broadcaster::Attachment other = server.ring.attach();

  Replay() {
    // Three of four are hooks, one in 100 is a note.
    for (std::size_t i = 0; i < kEvents / 100; ++i) {
      server.events.append_many(75, "hook", "s", kEventBytes);
      server.events.append_many(24, "message", "s", kEventBytes);
      server.events.append_many(1, "note", "s", kEventBytes);
    }
    server.consumer.pump();
    REQUIRE(server.ring.ring_first() > Offset(kEvents / 4));
  }
  EventStream stream(Offset from) {
    return {server.events.log(), server.ring, server.past, server.filtered, from};
  }
};

/// Everything up to the ring's end: how many events.
std::uint64_t drain(EventStream& stream, const event::Filter& filter) {
  std::uint64_t events = 0;
  while (stream.has_more({.filter = filter})) {
    std::string scratch;
    const auto turn = stream.turn({.filter = filter}, scratch);
    if (!turn || turn->gap) {
      throw std::runtime_error("a turn without a gap was expected");
    }
    std::string_view rest = turn->bytes;
    for (; !rest.empty(); ++events) {
      (void)next_frame_payload(rest);
    }
  }
  return events;
}

}  // namespace

TEST_CASE("EventStream: who replays what another has replayed is given the same bytes",
          "[net][firehose]") {
  Replay replay;
  const event::Filter all;
  EventStream first = replay.stream(Offset(0));
  EventStream second = replay.stream(Offset(0));
  std::string scratch;
  const auto made = first.turn({.filter = all}, scratch);
  const auto given = second.turn({.filter = all}, scratch);
  REQUIRE(made);
  REQUIRE(given);
  CHECK(made->bytes.size() > limits::kWriteChunkBytes / 2);
  CHECK(given->bytes.data() == made->bytes.data());
  CHECK(second.next() == first.next());
  CHECK(second.handed() == first.handed());
  CHECK(second.cursor()->check == replay.server.events.log().cursor_at(second.next())->check);

  const std::uint64_t left = Replay::kEvents - first.next().value();
  CHECK(drain(first, all) == left);
  CHECK(first.next() == Offset(Replay::kEvents));
}

TEST_CASE("EventStream: a lone client keeps nothing for others", "[net][firehose]") {
  Replay replay;
  replay.other = {};
  { const auto gone = std::move(replay.one); }
  replay.one = replay.server.ring.attach();
  REQUIRE(replay.server.ring.clients() == 1);
  EventStream stream = replay.stream(Offset(0));
  CHECK(drain(stream, event::Filter()) == Replay::kEvents);
  CHECK(replay.server.past.bytes() == 0);
}

TEST_CASE("EventStream: who takes most of what it reads shares it, who takes little does not",
          "[net][firehose]") {
  Replay replay;
  EventStream few = replay.stream(Offset(0));
  CHECK(drain(few, types("note")) == Replay::kEvents / 100);
  CHECK(replay.server.past.bytes() == 0);
  EventStream most = replay.stream(Offset(0));
  CHECK(drain(most, types("hook")) == Replay::kEvents * 3 / 4);
  CHECK(replay.server.past.bytes() > 0);
  // From what was kept, and beside it from the log.
  EventStream again = replay.stream(Offset(0));
  CHECK(drain(again, types("note")) == Replay::kEvents / 100);
}

TEST_CASE("EventStream: a stream that comes from others' frames goes on in the log",
          "[net][firehose]") {
  Replay replay;
  const event::Filter all;
  std::string scratch;
  EventStream stream = replay.stream(Offset(0));
  REQUIRE(stream.turn({.filter = all}, scratch));  // has read up to here
  const Offset here = stream.next();
  EventStream other = replay.stream(here);
  REQUIRE(other.turn({.filter = all}, scratch));
  REQUIRE(stream.turn({.filter = all}, scratch));
  CHECK(stream.next() == other.next());
  CHECK(drain(stream, all) == Replay::kEvents - other.next().value());
}

TEST_CASE("EventStream: many replay the same past on several threads, each gets everything once",
          "[net][firehose][threads]") {
  Replay replay;
  const std::vector<event::Filter> filters{event::Filter(), event::Filter(), types("hook"),
                                           types("note,message")};
  std::vector<std::uint64_t> got(filters.size());
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < filters.size(); ++i) {
      clients.emplace_back([&, i] {
        EventStream stream = replay.stream(Offset(0));
        got[i] = drain(stream, filters[i]);
      });
    }
  }
  CHECK(got == std::vector<std::uint64_t>{Replay::kEvents, Replay::kEvents, Replay::kEvents * 3 / 4,
                                          Replay::kEvents / 4});
}

TEST_CASE("EventStream: a crowd with one filter shares what it takes, each once and in order",
          "[net][firehose]") {
  Replay replay;
  std::vector<consumers::Broadcaster::Attachment> crowd;
  while (replay.server.ring.clients() < consumers::FrameMemory::kPagesFromClients) {
    crowd.push_back(replay.server.ring.attach());
  }
  const event::Filter hooks = types("hook");
  std::vector<EventStream> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(replay.stream(Offset(0)));
  }
  std::vector<std::string> taken(streams.size());
  std::uint64_t shared = 0;
  while (streams.front().has_more({.filter = hooks})) {
    std::vector<std::string_view> shown;
    std::vector<std::shared_ptr<const consumers::FrameMemory>> owners;
    std::vector<std::string> scratches(streams.size());
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const auto turn = streams[i].turn({.filter = hooks}, scratches[i]);
      REQUIRE(turn);
      taken[i] += turn->bytes;
      shown.push_back(turn->bytes);
      owners.push_back(turn->memory);
    }
    shared += !shown.at(2).empty() && shown.at(2).data() == shown.at(3).data() ? 1U : 0U;
  }
  CHECK(shared > 50);
  for (const std::string& one : taken) {
    CHECK(one == taken.front());
  }
  std::uint64_t events = 0;
  for (std::string_view rest = taken.front(); !rest.empty(); ++events) {
    (void)next_frame_payload(rest);
  }
  CHECK(events == Replay::kEvents / 4 * 3);
}

}  // namespace vibes::net
