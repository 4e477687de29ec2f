// SPDX-License-Identifier: MIT
#include "eventlog/file/file_event_log.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "eventlog/open.hpp"
#include "io/file_system.hpp"
#include "log_helpers.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using test::append_now;
using test::new_event;
using test::payloads_from;
using test::TempDir;

namespace {

std::unique_ptr<EventLog> open_at(const TempDir& dir, LogOptions options = {}) {
  options.free_disk_floor_bytes = 0;
  auto log = open_log("file:" + dir.path() + "/log", options);
  if (!log) {
    FAIL(log.error().message());
  }
  return std::move(*log);
}

}  // namespace

TEST_CASE("file log: what was acknowledged is there after a restart", "[eventlog][file]") {
  const TempDir dir;
  Uuid log_id;
  {
    auto log = open_at(dir);
    log_id = log->log_id();
    for (int i = 0; i < 100; ++i) {
      const auto receipt = append_now(*log, {new_event("{\"n\":" + std::to_string(i) + "}")});
      REQUIRE(receipt);
      CHECK(receipt->durability == Durability::fsync);
      REQUIRE(receipt->places.size() == 1);
      CHECK(receipt->places[0].offset == Offset(static_cast<std::uint64_t>(i)));
      CHECK(log->end() == Offset(static_cast<std::uint64_t>(i) + 1));
    }
    REQUIRE(log->close());
  }
  auto log = open_at(dir);
  CHECK(log->log_id() == log_id);
  CHECK(log->status().recovery.empty());
  const auto payloads = payloads_from(*log, Offset{});
  REQUIRE(payloads.size() == 100);
  CHECK(payloads[42] == "{\"n\":42}");
}

TEST_CASE("file log: many small segments read as one log, forwards and backwards",
          "[eventlog][file]") {
  const TempDir dir;
  LogOptions options;
  options.segment_bytes = 16 * limits::kKiB;
  std::vector<Uuid> ids;
  for (int round = 0; round < 3; ++round) {
    auto log = open_at(dir, options);
    for (int i = 0; i < 200; ++i) {
      const auto number = std::to_string(round * 200 + i);
      const auto receipt = append_now(*log, {new_event(number + std::string(300, '.'))});
      REQUIRE(receipt);
      ids.push_back(receipt->places[0].event_id);
    }
    CHECK(payloads_from(*log, Offset{}).size() == ids.size());
  }
  auto log = open_at(dir, options);
  CHECK(log->status().segments > 10);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  const auto payloads = payloads_from(*log, Offset{});
  REQUIRE(payloads.size() == 600);
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    REQUIRE(payloads[i] == std::to_string(i) + std::string(300, '.'));
    REQUIRE(*log->resolve(AtEventId{ids[i]}) == Offset(i));
  }
  auto reader = *log->reader(End{});
  std::uint64_t next = 600;
  while (reader->position() > log->first()) {
    ReadRequest request;
    request.events_max = 7;
    auto batch = reader->read_back(request);
    REQUIRE(batch);
    for (const auto& event : batch->events) {
      REQUIRE(event.offset == Offset(--next));
    }
  }
  CHECK(next == 0);
  auto looked = open_log_read_only(dir.path() + "/log");
  REQUIRE(looked);
  CHECK(payloads_from(**looked, Offset{}) == payloads);
  CHECK(*(*looked)->resolve(AtEventId{ids[5]}) == Offset(5));
}

TEST_CASE("file log: the index that the writer made is the one that the segment gives",
          "[eventlog][file]") {
  const TempDir dir;
  LogOptions options;
  options.segment_bytes = 16 * limits::kKiB;
  {
    auto log = open_at(dir, options);
    for (int i = 0; i < 200; ++i) {
      const std::string payload = std::to_string(i) + std::string(200, '.');
      const std::string type = "type" + std::to_string(i % 3);
      event::NewEvent with_id = new_event(payload, type, "session" + std::to_string(i % 5));
      // The ids come in no order; a third of the events is a duplicate of one before, and a
      // conflict takes its whole batch along.
      with_id.event_id = name_uuid(kUrlNamespace, std::to_string(i % 3 == 2 ? i - 1 : i));
      with_id.payload = i % 3 == 2 ? std::to_string(i - 1) + std::string(200, '.') : payload;
      REQUIRE(append_now(*log, {with_id, new_event(payload + "b", type)}));
      event::NewEvent conflict = with_id;
      conflict.payload = "another";
      CHECK_FALSE(append_now(*log, {new_event("gone"), conflict}));
    }
    REQUIRE(log->close());
  }
  std::map<std::string, std::string> made;
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir.path())) {
    if (file.path().extension() == ".idx") {
      made[file.path().string()] = test::content_of(file.path());
      std::filesystem::remove(file.path());
    }
  }
  REQUIRE(made.size() > 3);
  REQUIRE(open_at(dir, options)->close());
  for (const auto& [path, bytes] : made) {
    INFO(path);
    CHECK((test::content_of(path) == bytes));
  }
}

TEST_CASE("file log: the segment that a start appends to gets its zeros while it is appended to",
          "[eventlog][file]") {
  const TempDir dir;
  LogOptions options;
  options.segment_bytes = 4 * limits::kMiB;
  std::vector<std::string> expected;
  for (int start = 0; start < 2; ++start) {
    auto log = open_at(dir, options);
    auto segment = io::posix_file_system().open(file::Layout(dir.path() + "/log").segment(Offset{}),
                                                io::OpenMode::read_only);
    REQUIRE(segment);
    std::uint64_t written = 0;
    while (written < options.segment_bytes) {
      REQUIRE(expected.size() < 10'000);  // by far not enough to fill it with events
      expected.push_back("{\"n\":" + std::to_string(expected.size()) + "}");
      REQUIRE(append_now(*log, {new_event(expected.back())}));
      written = *(*segment)->written_until(0);
      if (written == 0) {
        WARN("this file system does not tell what was written");
        return;
      }
    }
    CHECK(payloads_from(*log, Offset{}) == expected);
    REQUIRE(log->close());
  }
}

TEST_CASE("file log: zeros never come over events that are appended faster than they are written",
          "[eventlog][file]") {
  const TempDir dir;
  LogOptions options;
  options.segment_bytes = 4 * limits::kMiB;
  std::vector<std::string> expected;
  {
    auto log = open_at(dir, options);
    const std::string filler(4'000, 'x');
    for (int i = 0; i < 8; ++i) {
      std::vector<event::NewEvent> batch;
      for (int k = 0; k < 100; ++k) {
        expected.push_back("{\"n\":\"" + std::to_string(expected.size()) + filler + "\"}");
        batch.push_back(new_event(expected.back()));
      }
      REQUIRE(append_now(*log, std::move(batch)));
    }
    // The housekeeper begins with it when it is done with the active segment.
    while (!std::filesystem::exists(file::Layout(dir.path() + "/log").next_segment())) {
      std::this_thread::yield();
    }
    REQUIRE(log->close());
  }
  auto log = open_at(dir, options);
  CHECK(log->status().recovery.empty());
  CHECK(payloads_from(*log, Offset{}) == expected);
}

TEST_CASE("file log: a second opening is refused", "[eventlog][file]") {
  const TempDir dir;
  auto log = open_at(dir);
  const auto second = open_log(dir.path() + "/log", {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::locked);
}

TEST_CASE("file log: groups keep their commits across restarts", "[eventlog][file]") {
  const TempDir dir;
  {
    auto log = open_at(dir);
    REQUIRE(append_now(*log, {new_event("{}"), new_event("{}")}));
    REQUIRE(log->group_offsets().commit("a.tmp", Offset(1)));
    REQUIRE(log->group_offsets().commit("a", Offset(2)));
    CHECK(log->group_offsets().commit("a", Offset(3)).error().code == Errc::bad_commit);
    CHECK(log->group_offsets().commit("A", Offset(1)).error().code == Errc::bad_group_name);
  }
  auto log = open_at(dir);
  CHECK(log->group_offsets().committed("a.tmp") == Offset(1));
  CHECK(log->group_offsets().committed("a") == Offset(2));
  REQUIRE(log->group_offsets().remove("a"));
  CHECK(log->group_offsets().remove("a").error().code == Errc::not_found);
}
