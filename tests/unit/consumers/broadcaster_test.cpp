// SPDX-License-Identifier: MIT
#include "consumers/broadcaster.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "consumers/websocket_consumer.hpp"
#include "support/catch.hpp"
#include "support/recording_connection.hpp"
#include "support/test_log.hpp"
#include "wire/frame_header.hpp"

using namespace vibes;
using consumers::Broadcaster;
using consumers::FrameChunk;
using consumers::FrameMemory;
using nlohmann::json;

namespace {

/// A log, its broadcaster with one client attached, and the consumer between them.
struct Firehose {
  test::TestLog events;
  Broadcaster ring;
  consumers::WebsocketConsumer consumer{events.log(), ring};
  Broadcaster::Attachment client = ring.attach();

  void append_many(std::size_t count, const std::string& type, const std::string& session,
                   std::size_t bytes = 300) {
    events.append_many(count, type, session, bytes);
    consumer.pump();
  }
};

event::Filter types(std::string_view list) { return *event::Filter::parse(list, std::nullopt); }

/// Everything from `from` to the ring's end, burst by burst.
struct Collected {
  std::vector<std::uint64_t> offsets;
  std::size_t bursts = 0;
  std::size_t largest = 0;
};

Collected collect_all(const Broadcaster& ring, Offset from, const event::Filter& filter,
                      std::size_t bytes_max = limits::kWriteChunkBytes) {
  Collected collected;
  Offset at = from;
  while (at < ring.ring_end()) {
    std::string scratch;
    const auto burst =
        ring.collect({.from = at, .filter = &filter, .bytes_max = bytes_max}, scratch);
    REQUIRE(burst);
    REQUIRE(burst->next > at);
    const auto texts = test::split_frames(burst->bytes);
    CHECK(texts.size() == burst->events);
    for (const std::string& text : texts) {
      const json frame = json::parse(text);
      CHECK(frame.at("type") == "event");
      collected.offsets.push_back(frame.at("offset"));
    }
    collected.largest = std::max(collected.largest, burst->bytes.size());
    ++collected.bursts;
    at = burst->next;
  }
  return collected;
}

}  // namespace

TEST_CASE("Text frame headers are as short as RFC 6455 asks", "[consumers][frame]") {
  const auto header = [](std::size_t bytes) {
    std::string out;
    wire::append_text_frame_header(out, bytes);
    return out;
  };
  using namespace std::string_literals;
  CHECK(header(0) == "\x81\x00"s);
  CHECK(header(125) == "\x81\x7d"s);
  CHECK(header(126) == "\x81\x7e\x00\x7e"s);
  CHECK(header(65'535) == "\x81\x7e\xff\xff"s);
  CHECK(header(65'536) == "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST_CASE("Broadcaster: a frame is the event with its envelope, its payload untouched",
          "[consumers][broadcaster]") {
  Firehose firehose;
  const std::string payload = R"({"type":"note", "session_id":"s", "n":1.0e2,"é":"\u00e9"})";
  firehose.events.append(payload);
  firehose.consumer.pump();

  std::string scratch;
  const auto burst = firehose.ring.collect({.from = Offset(0)}, scratch);
  REQUIRE(burst);
  const auto texts = test::split_frames(burst->bytes);
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].ends_with(R"(,"event":)" + payload + "}"));
  CHECK(json::parse(texts[0]).size() == 5);
  CHECK(scratch.empty());  // who wants everything gets a view
}

TEST_CASE("Broadcaster: frames of every length class come out whole", "[consumers][broadcaster]") {
  Firehose firehose;
  // Around 65,535 bytes of text, where the header grows from 4 to 10 bytes, and around a chunk's
  // size.
  const std::vector<std::size_t> sizes{20,     200,    65'350,    65'395, 65'396,
                                       65'400, 65'536, 1'000'000, 50};
  for (const std::size_t bytes : sizes) {
    firehose.append_many(1, "note", "s", bytes);
  }
  const Collected all = collect_all(firehose.ring, Offset(0), event::Filter());
  CHECK(all.offsets == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("Broadcaster: a burst is bounded, but never empty while there is an event",
          "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(2'000, "note", "s");
  const Collected bursts = collect_all(firehose.ring, Offset(0), event::Filter());
  CHECK(bursts.offsets.size() == 2'000);
  CHECK(bursts.largest <= limits::kWriteChunkBytes);
  CHECK(bursts.largest > limits::kWriteChunkBytes / 2);
  CHECK(bursts.bursts < 20);

  const Collected single = collect_all(firehose.ring, Offset(0), event::Filter(), 1);
  CHECK(single.bursts == 2'000);
  const Collected filtered = collect_all(firehose.ring, Offset(1'990), types("note"), 1);
  CHECK(filtered.offsets.size() == 10);
}

TEST_CASE("Broadcaster: the ring is bounded in bytes and events, and what it lets go is behind it",
          "[consumers][broadcaster]") {
  Firehose firehose;
  SECTION("bytes") {
    firehose.append_many(4'000, "note", "s", 4'000);
    CHECK(firehose.ring.ring_bytes() <= limits::kRingBytesMax);
    CHECK(firehose.ring.ring_bytes() > limits::kRingBytesMax - 2 * limits::kWriteChunkBytes);
  }
  SECTION("events") {
    // Many kinds end a chunk early, so that its bytes do not fill up.
    for (int i = 0; i < 200; ++i) {
      firehose.append_many(400, "note", "session-" + std::to_string(i), 30);
    }
    CHECK(firehose.ring.ring_end() - firehose.ring.ring_first() <= limits::kRingEventsMax);
  }
  SECTION("one event larger than the ring's chunks") {
    for (int i = 0; i < 20; ++i) {
      firehose.append_many(1, "note", "s", 1'000'000);
    }
    CHECK(firehose.ring.ring_bytes() <= limits::kRingBytesMax);
  }
  const Offset first = firehose.ring.ring_first();
  REQUIRE(first > Offset(0));
  std::string scratch;
  CHECK_FALSE(firehose.ring.collect({.from = first - 1}, scratch));
  CHECK_FALSE(firehose.ring.next_match(first - 1, types("none")));
  CHECK(firehose.ring.collect({.from = first}, scratch));
  CHECK(collect_all(firehose.ring, first, event::Filter()).offsets.size() ==
        firehose.ring.ring_end() - first);
}

TEST_CASE("Broadcaster: a burst keeps its bytes when the ring moves on",
          "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(10, "note", "s");
  std::string scratch;
  const auto burst = firehose.ring.collect({.from = Offset(0)}, scratch);
  REQUIRE(burst);
  const std::string before(burst->bytes);
  firehose.append_many(4'000, "note", "s", 4'000);
  REQUIRE(firehose.ring.ring_first() > Offset(10));
  CHECK(burst->bytes == before);
}

TEST_CASE("Broadcaster: a filter gets what matches and moves past the rest",
          "[consumers][broadcaster]") {
  Firehose firehose;
  for (int i = 0; i < 100; ++i) {
    firehose.append_many(3, "session_state_changed", "a");
    firehose.append_many(2, "hook", "b");
  }
  CHECK(collect_all(firehose.ring, Offset(0), types("session")).offsets.size() == 300);
  CHECK(collect_all(firehose.ring, Offset(0), types("HOOK")).offsets.size() == 200);
  CHECK(collect_all(firehose.ring, Offset(0), types("session,hook")).offsets.size() == 500);
  const auto session_b = *event::Filter::parse("", "b");
  CHECK(collect_all(firehose.ring, Offset(3), session_b).offsets.front() == 3);

  std::string scratch;
  const event::Filter none = types("claude");
  const auto burst = firehose.ring.collect({.from = Offset(0), .filter = &none}, scratch);
  REQUIRE(burst);
  CHECK(burst->bytes.empty());
  CHECK(burst->next == firehose.ring.ring_end());
  CHECK(firehose.ring.next_match(Offset(0), none) == firehose.ring.ring_end());
  CHECK(firehose.ring.next_match(Offset(0), types("hook")) == Offset(3));
}

TEST_CASE("Broadcaster: a crowd's frames are in a file too, those for a few are not",
          "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(10, "note", "s");
  std::string scratch;
  const auto few = firehose.ring.collect({.from = Offset(0)}, scratch);
  REQUIRE(few);
  CHECK_FALSE(few->memory->place(few->bytes));

  std::vector<Broadcaster::Attachment> crowd;
  while (firehose.ring.clients() < FrameMemory::kPagesFromClients) {
    crowd.push_back(firehose.ring.attach());
  }
  firehose.append_many(1'000, "note", "s");  // fills the chunk and begins others
  for (Offset at(900); at < firehose.ring.ring_end();) {
    const auto burst = firehose.ring.collect({.from = at}, scratch);
    REQUIRE(burst);
    const auto place = burst->memory->place(burst->bytes);
    REQUIRE(place);
    std::string read(burst->bytes.size(), '\0');
    REQUIRE(::pread(place->fd, read.data(), read.size(), place->offset) ==
            static_cast<ssize_t>(read.size()));
    CHECK(read == burst->bytes);
    at = burst->next;
  }
  const auto copies =
      firehose.ring.collect({.from = Offset(900), .shape = Broadcaster::Shape::envelopes}, scratch);
  REQUIRE(copies);
  CHECK_FALSE(copies->memory);
}

TEST_CASE("Broadcaster: more kinds than a chunk holds start the next chunk",
          "[consumers][broadcaster]") {
  Firehose firehose;
  for (std::size_t i = 0; i < 3 * FrameChunk::kKindsMax; ++i) {
    firehose.append_many(1, "note", "session-" + std::to_string(i), 20);
  }
  for (std::size_t i = 0; i < 3 * FrameChunk::kKindsMax; ++i) {
    const auto one = *event::Filter::parse("", "session-" + std::to_string(i));
    CHECK(collect_all(firehose.ring, Offset(0), one).offsets == std::vector<std::uint64_t>{i});
  }
}

TEST_CASE("Broadcaster: envelopes are the frames' objects, separated by commas",
          "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(5, "note", "s");
  std::string scratch = "[";
  const auto burst = firehose.ring.collect(
      {.from = Offset(1), .until = Offset(4), .shape = Broadcaster::Shape::envelopes}, scratch);
  REQUIRE(burst);
  CHECK(burst->events == 3);
  CHECK(burst->next == Offset(4));
  const json events = json::parse(scratch + "]");
  REQUIRE(events.size() == 3);
  CHECK(events[0].at("offset") == 1);
  CHECK_FALSE(events[0].contains("type"));
}

TEST_CASE("Broadcaster: `until` ends a burst", "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(10, "note", "s");
  std::string scratch;
  const auto burst = firehose.ring.collect({.from = Offset(2), .until = Offset(5)}, scratch);
  REQUIRE(burst);
  CHECK(burst->events == 3);
  CHECK(burst->next == Offset(5));
}

TEST_CASE("Broadcaster: a burst knows the check of the cursor behind it",
          "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(10, "note", "s");
  std::string scratch;
  const auto burst = firehose.ring.collect({.from = Offset(0), .until = Offset(7)}, scratch);
  REQUIRE(burst);
  CHECK(burst->cursor_check == firehose.events.log().cursor_at(Offset(7))->check);
}

TEST_CASE("Broadcaster: at or beyond its end a client is caught up", "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(3, "note", "s");
  std::string scratch;
  for (const Offset at : {Offset(3), Offset(10)}) {
    const auto burst = firehose.ring.collect({.from = at}, scratch);
    REQUIRE(burst);
    CHECK(burst->bytes.empty());
    CHECK(burst->next == at);
  }
}

TEST_CASE("Broadcaster: many readers see every event once while one thread writes",
          "[consumers][broadcaster][threads]") {
  constexpr std::uint64_t kEvents = 30'000;
  Firehose firehose;
  std::atomic<std::uint64_t> restarts{0};
  const auto follow = [&](const event::Filter& filter, std::uint64_t expected,
                          std::uint64_t& seen) {
    Offset at(0);
    while (at < Offset(kEvents)) {
      std::string scratch;
      const auto burst = firehose.ring.collect({.from = at, .filter = &filter}, scratch);
      if (!burst) {  // overtaken by the ring: a real client reads the log here
        ++restarts;
        return;
      }
      if (!burst->bytes.empty()) {
        seen += test::split_frames(burst->bytes).size();
      }
      at = burst->next;
    }
    CHECK(seen == expected);
  };
  const event::Filter everything;
  const event::Filter hooks = types("hook");
  std::uint64_t seen_all = 0;
  std::uint64_t seen_hooks = 0;
  std::thread all([&] { follow(everything, kEvents, seen_all); });
  std::thread some([&] { follow(hooks, kEvents / 2, seen_hooks); });
  for (std::uint64_t done = 0; done < kEvents; done += 100) {
    firehose.append_many(50, "note", "a", 100);
    firehose.append_many(50, "hook", "b", 100);
  }
  all.join();
  some.join();
  CHECK(restarts == 0);
}

TEST_CASE("Broadcaster: a burst that fills up where a chunk ends knows its check all the same",
          "[consumers][broadcaster]") {
  Firehose firehose;
  firehose.append_many(1'000, "note", "s");
  const event::Filter notes = types("note");
  for (std::size_t bytes_max = 60'000; bytes_max < 70'000; bytes_max += 100) {
    std::string scratch;
    const auto burst = firehose.ring.collect(
        {.from = Offset(0), .filter = &notes, .bytes_max = bytes_max}, scratch);
    REQUIRE(burst);
    CHECK(burst->cursor_check == firehose.events.log().cursor_at(burst->next)->check);
  }
}
