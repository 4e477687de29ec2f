// SPDX-License-Identifier: MIT
#include "consumers/past_frames.hpp"

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/recording_connection.hpp"
#include "support/test_log.hpp"

using namespace vibes;
using consumers::BurstRequest;
using consumers::FrameChunk;
using consumers::FrameMemory;
using consumers::PastFrames;
using nlohmann::json;

namespace {

/// A log and those who keep what they read of it.
struct Past {
  test::TestLog events;
  PastFrames frames;

  Past() = default;
  explicit Past(std::size_t bytes_max) : frames(bytes_max) {}

  std::shared_ptr<const FrameChunk> keep_from(Offset from) {
    const auto reader = *events.log().reader(from);
    const auto batch = reader->read({.bytes_max = limits::kWriteChunkBytes});
    return frames.keep(batch->events, 2);
  }
  bool holds(Offset offset) {
    std::string scratch;
    return frames.collect({.from = offset}, scratch).has_value();
  }
};

std::vector<std::uint64_t> offsets_in(std::string_view bytes) {
  std::vector<std::uint64_t> offsets;
  for (const std::string& text : test::split_frames(bytes)) {
    offsets.push_back(json::parse(text).at("offset"));
  }
  return offsets;
}

}  // namespace

TEST_CASE("PastFrames: what one has read another gets as a view of the same bytes",
          "[consumers][past]") {
  Past past;
  past.events.append_many(1'000, "note", "s", 300);
  CHECK_FALSE(past.holds(Offset(0)));
  const auto chunk = past.keep_from(Offset(100));
  REQUIRE(chunk->first() == Offset(100));
  REQUIRE(chunk->end() > Offset(200));

  std::string scratch;
  const auto burst = past.frames.collect({.from = Offset(120)}, scratch);
  REQUIRE(burst);
  CHECK(scratch.empty());
  CHECK(burst->bytes.data() == chunk->frames(Offset(120), Offset(121)).data());
  CHECK(offsets_in(burst->bytes).front() == 120);
  CHECK(burst->next == chunk->end());
  CHECK(burst->last_end == chunk->end());
  CHECK(burst->cursor_check == past.events.log().cursor_at(burst->next)->check);
  CHECK_FALSE(past.holds(Offset(99)));
  CHECK_FALSE(past.holds(chunk->end()));
}

TEST_CASE("PastFrames: chunks do not overlap", "[consumers][past]") {
  Past past;
  past.events.append_many(1'000, "note", "s", 300);
  const auto later = past.keep_from(Offset(50));
  const auto earlier = past.keep_from(Offset(40));
  CHECK(earlier->end() == Offset(50));
  CHECK(earlier->capacity_bytes() < limits::kWriteChunkBytes / 8);

  const std::size_t bytes = past.frames.bytes();
  const auto again = past.keep_from(Offset(60));  // as who lost a race
  CHECK(again->first() == Offset(60));
  CHECK(past.frames.bytes() == bytes);
  std::string scratch;
  CHECK(past.frames.collect({.from = Offset(60)}, scratch)->memory.get() == &later->memory());
}

TEST_CASE("PastFrames: it is bounded, and what was used longest ago goes first",
          "[consumers][past]") {
  constexpr std::size_t kBytesMax = 500'000;
  Past past(kBytesMax);
  past.events.append_many(4'000, "note", "s", 300);
  const Offset used(0);
  const Offset unused = past.keep_from(used)->end();
  std::string scratch;
  const auto burst = past.frames.collect({.from = used}, scratch);
  REQUIRE(burst);
  const std::string before(burst->bytes);
  for (Offset at = unused; at < Offset(3'000);) {
    CHECK(past.holds(used));
    at = past.keep_from(at)->end();
    CHECK(past.frames.bytes() <= kBytesMax);
  }
  CHECK(past.frames.bytes() > kBytesMax / 2);
  CHECK_FALSE(past.holds(unused));

  for (Offset at(3'000); at < Offset(4'000);) {
    at = past.keep_from(at)->end();
  }
  CHECK_FALSE(past.holds(used));
  CHECK(burst->bytes == before);  // who has it keeps it
}

TEST_CASE("PastFrames: an event larger than all it may hold is shown and not kept",
          "[consumers][past]") {
  Past past(100'000);
  past.events.append_many(1, "note", "s", 200'000);
  const auto chunk = past.keep_from(Offset(0));
  CHECK(chunk->end() == Offset(1));
  CHECK(past.frames.bytes() == 0);
  CHECK_FALSE(past.holds(Offset(0)));
}

TEST_CASE("PastFrames: filters, `until` and envelopes are those of the ring", "[consumers][past]") {
  Past past;
  for (int i = 0; i < 100; ++i) {
    past.events.append_many(3, "note", "a", 300);
    past.events.append_many(1, "hook", "b", 300);
  }
  for (Offset at(0); at < Offset(400);) {
    at = past.keep_from(at)->end();
  }
  const auto hooks = *event::Filter::parse("hook", std::nullopt);
  std::string scratch;
  const auto burst =
      past.frames.collect({.from = Offset(0), .until = Offset(350), .filter = &hooks}, scratch);
  REQUIRE(burst);
  CHECK(burst->next == Offset(350));
  CHECK(burst->last_end == Offset(348));
  const auto offsets = offsets_in(burst->bytes);
  REQUIRE(offsets.size() == 87);  // over several chunks
  CHECK(offsets.front() == 3);
  CHECK(offsets.back() == 347);

  std::string envelopes = "[";
  const auto batch = past.frames.collect(
      {.from = Offset(1), .until = Offset(4), .shape = consumers::BurstShape::envelopes},
      envelopes);
  REQUIRE(batch);
  CHECK(json::parse(envelopes + "]").size() == 3);
}

TEST_CASE("PastFrames: full chunks for a crowd are in a file too", "[consumers][past]") {
  Past past;
  past.events.append_many(1'000, "note", "s", 300);
  const auto reader = *past.events.log().reader(Offset(100));
  const auto events = reader->read({.bytes_max = limits::kWriteChunkBytes})->events;
  constexpr std::size_t kCrowd = FrameMemory::kPagesFromClients;
  const auto full = past.frames.keep(events, kCrowd);
  CHECK(full->memory().place(full->frames(full->first(), full->end())));
  const auto small = past.frames.keep(events.first(1), kCrowd);
  CHECK_FALSE(small->memory().place(small->frame(small->first())));
}

TEST_CASE("PastFrames: more kinds than a chunk holds are kept in the next", "[consumers][past]") {
  Past past;
  for (std::size_t i = 0; i < 2 * FrameChunk::kKindsMax; ++i) {
    past.events.append_many(1, "note", "session-" + std::to_string(i), 20);
  }
  const auto chunk = past.keep_from(Offset(0));
  CHECK(chunk->end() == Offset(FrameChunk::kKindsMax));
}
