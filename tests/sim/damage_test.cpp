// SPDX-License-Identifier: MIT
// Bit rot and damage to whole files: it is detected or provably harmless; wrong bytes are never
// served.
#include <iostream>

#include "eventlog/errc.hpp"
#include "eventlog/file/layout.hpp"
#include "eventlog/file/verifier.hpp"
#include "sim_log.hpp"

using namespace vibes;
using namespace vibes::test;
using eventlog::Errc;
using eventlog::file::verify_log;

namespace {

constexpr std::size_t kSegmentBytes = 6 * limits::kKiB;

/// Three sealed segments and an active one, closed cleanly.
void fill(SimLog& sim) {
  REQUIRE(sim.open());
  while (sim.log().status().segments < 4) {
    REQUIRE(sim.append({100, 40}));
  }
  REQUIRE(sim.append({64}));
  REQUIRE(sim.commit(3));
  REQUIRE(sim.close());
}

/// "": opened and all is right; "refused …", or "WRONG …".
std::string outcome(const io::SimDisk::State& state, const Attempts& attempts) {
  SimLog after(state, kSegmentBytes);
  after.attempts() = attempts;
  auto opened = after.open();
  if (!opened) {
    const auto code = opened.error().code;
    const bool named = opened.error().message().find("/data/") != std::string::npos;
    return (code == Errc::corrupt || code == Errc::unsupported_format) && named
               ? "refused"
               : "WRONG: " + opened.error().message();
  }
  const std::uint64_t end = after.log().end().value();
  if (end != attempts.acked) {
    return "WRONG: " + std::to_string(end) + " events";
  }
  auto reader = after.log().reader(Offset{});
  for (std::uint64_t next = 0; next < end;) {
    auto batch = (*reader)->read({});
    if (!batch) {
      return batch.error().code == Errc::corrupt ? "reader refused" : "WRONG read error";
    }
    for (const auto& event : batch->events) {
      if (event.payload != attempts.events[next].payload ||
          event.event_id != attempts.events[next].event_id || event.offset != Offset(next)) {
        return "WRONG bytes served";
      }
      ++next;
    }
  }
  for (std::size_t i = 0; i < attempts.events.size(); ++i) {
    const auto found = after.log().resolve(eventlog::AtEventId{attempts.events[i].event_id});
    if (!found || *found != Offset(i)) {
      return "WRONG: an id is not found";
    }
  }
  if (after.log().group_offsets().committed("g") != Offset(3)) {
    return "WRONG commit";
  }
  return {};
}

}  // namespace

TEST_CASE("bit rot: every bit of every file, flipped, is detected or harmless", "[sim][damage]") {
  SimLog sim(kSegmentBytes);
  fill(sim);
  const auto state = sim.disk().state();
  REQUIRE(outcome(state, sim.attempts()).empty());
  const std::uint64_t step = from_environment("VIBES_SIM_FLIP_STEP", 7);
  std::size_t flips = 0;
  std::map<std::string, std::size_t> outcomes;
  for (const std::string& path : sim.disk().files()) {
    const std::uint64_t bits = sim.disk().contents(path).size() * 8;
    for (std::uint64_t bit = 0; bit < bits; bit += step) {
      SimLog flipped(state, kSegmentBytes);
      flipped.flip_bit(path, bit);
      const std::string result = outcome(flipped.disk().state(), sim.attempts());
      if (result.starts_with("WRONG")) {
        FAIL(path << " bit " << bit << ": " << result);
      }
      ++outcomes[result.empty() ? "harmless" : result];
      ++flips;
    }
  }
  std::cout << "bit flips: " << flips << " (every " << step << "th bit)";
  for (const auto& [name, count] : outcomes) {
    std::cout << ", " << count << " " << name;
  }
  std::cout << "\n";
}

TEST_CASE("damage: files that are missing, cut, doubled, swapped or strange are refused by name",
          "[sim][damage]") {
  SimLog sim(kSegmentBytes);
  fill(sim);
  const auto state = sim.disk().state();
  std::vector<std::string> segments;
  for (const std::string& path : sim.disk().files()) {
    if (path.ends_with(".seg")) {
      segments.push_back(path);
    }
  }
  REQUIRE(segments.size() == 4);
  SimLog other(kSegmentBytes);
  fill(other);
  std::vector<std::string> theirs;
  for (const std::string& path : other.disk().files()) {
    if (path.ends_with(".seg")) {
      theirs.push_back(path);
    }
  }

  SimLog damaged(state, kSegmentBytes);
  io::SimDisk& disk = damaged.disk();
  std::string where = segments[1];
  const auto bytes = disk.contents(segments[1]);
  SECTION("the first segment is missing") { REQUIRE(disk.remove(where = segments[0])); }
  SECTION("one in the middle is missing") {
    REQUIRE(disk.remove(segments[1]));
    where = segments[2];
  }
  SECTION("the last one is missing") {
    REQUIRE(disk.remove(segments[3]));
    where = "/data/log";
  }
  SECTION("all are missing") {
    for (const std::string& path : segments) {
      REQUIRE(disk.remove(path));
    }
    where = "/data/log";
  }
  SECTION("a sealed one is cut in the middle") { damaged.truncate_file(where, 5'000); }
  SECTION("a sealed one is empty") { damaged.truncate_file(where, 0); }
  SECTION("the active one is cut") { damaged.truncate_file(where = segments[3], 4'096); }
  SECTION("two are swapped") {
    const auto second = disk.contents(segments[2]);
    disk.set_contents(segments[2], bytes);
    disk.set_contents(segments[1], second);
  }
  SECTION("one is a copy of another") { disk.set_contents(where = segments[2], bytes); }
  SECTION("one is of another log") { disk.set_contents(where, other.disk().contents(theirs[1])); }
  SECTION("there is garbage behind a sealed one") {
    auto longer = bytes;
    longer.resize(longer.size() + 4'096, std::byte{0x5a});
    disk.set_contents(where, longer);
  }
  SECTION("there is garbage behind the active one") {
    where = segments[3];
    auto longer = disk.contents(where);
    longer.resize(longer.size() + 4'096, std::byte{0x5a});
    disk.set_contents(where, longer);
  }
  SECTION("a commit is past the end") {
    SimLog longer(state, kSegmentBytes);
    longer.attempts() = sim.attempts();
    REQUIRE(longer.open());
    for (int i = 0; i < 5; ++i) {
      REQUIRE(longer.append({10}));
    }
    REQUIRE(longer.commit(longer.log().end().value()));
    disk.set_contents(where = "/data/offsets/g.group",
                      longer.disk().contents("/data/offsets/g.group"));
  }
  const auto opened = damaged.open();
  INFO("about " << where);
  REQUIRE_FALSE(opened);
  INFO(opened.error().message());
  CHECK(opened.error().code == Errc::corrupt);
  CHECK(opened.error().message().find(where) != std::string::npos);
  CHECK(opened.error().message().find("at byte") != std::string::npos);
  const auto report = verify_log(disk, kSimDirectory);
  REQUIRE(report);
  CHECK(report->is_damaged());
}

TEST_CASE(
    "damage: a zeroed block in a sealed segment is an error where it is read, and found by verify",
    "[sim][damage]") {
  SimLog sim(kSegmentBytes);
  fill(sim);
  const std::string path = sim.segment_path(0);
  auto bytes = sim.disk().contents(path);
  std::fill(bytes.begin() + 4'600, bytes.begin() + 5'000, std::byte{0});
  sim.disk().set_contents(path, bytes);
  REQUIRE(sim.open());
  auto reader = sim.log().reader(Offset{});
  const auto batch = (*reader)->read({});
  REQUIRE_FALSE(batch);
  CHECK(batch.error().code == Errc::corrupt);
  CHECK(batch.error().message().find(path) != std::string::npos);
  CHECK((*reader)->position() == Offset{});
  const auto report = verify_log(sim.disk(), kSimDirectory);
  REQUIRE(report);
  REQUIRE(report->is_damaged());
  const auto& finding = report->findings.front();
  CHECK(finding.path == path);
  CHECK(finding.position >= 4'096);
  CHECK(finding.position < 5'000);
  CHECK(finding.to > finding.from);
  CHECK(report->end.value() == sim.attempts().acked);
  CHECK(report->events + (finding.to - finding.from) == sim.attempts().acked);
}

TEST_CASE("damage: a batch that a later one vouches for is not cut off as a torn tail",
          "[sim][damage]") {
  SimLog sim(32 * limits::kKiB);
  REQUIRE(sim.open());
  for (int i = 0; i < 10; ++i) {
    REQUIRE(sim.append({200}));
  }
  sim.kill();
  const std::string path = sim.segment_path(0);
  auto bytes = sim.disk().contents(path);
  // The last but one batch: 64 + 240 bytes and a bit each.
  bytes[4'096 + 8 * 312 + 150] ^= std::byte{1};
  sim.disk().set_contents(path, bytes);
  const auto opened = sim.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::corrupt);
  CHECK(sim.disk().contents(path) == bytes);
}

TEST_CASE("damage: a missing or damaged index is rebuilt from the log", "[sim][damage]") {
  SimLog sim(kSegmentBytes);
  fill(sim);
  for (const std::string& path : sim.disk().files()) {
    if (path.ends_with(".idx")) {
      sim.disk().set_contents(path, {});
    }
  }
  CHECK(outcome(sim.disk().state(), sim.attempts()).empty());
}
