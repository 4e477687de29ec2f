// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include "eventlog/file/log_info.hpp"
#include "eventlog/file/verifier.hpp"
#include "eventlog/open.hpp"
#include "io/file_system.hpp"
#include "log_helpers.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using test::append_now;
using test::new_event;
using test::TempDir;

namespace {

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 16 * limits::kKiB;
  options.free_disk_floor_bytes = 0;
  return options;
}

std::unique_ptr<EventLog> open_or_fail(const std::string& dir, const LogOptions& options) {
  auto log = open_log("file:" + dir, options);
  if (!log) {
    FAIL(log.error().message());
  }
  return std::move(*log);
}

void append_until_segments(EventLog& log, std::uint64_t segments) {
  while (log.status().segments < segments) {
    REQUIRE(append_now(log, {new_event(std::string(1'000, 'x'))}));
  }
}

}  // namespace

TEST_CASE("file log: retention by size removes whole segments, and a reader sees the gap",
          "[eventlog][file]") {
  const TempDir dir;
  const std::string path = dir.path() + "/log";
  {
    auto log = open_or_fail(path, small_segments());
    append_until_segments(*log, 8);
  }
  LogOptions options = small_segments();
  options.retention.bytes = 64 * limits::kKiB;
  auto log = open_or_fail(path, options);
  REQUIRE(append_now(*log, {new_event("{}")}));  // the writer thread has looked at its rules by now
  CHECK(log->first() > Offset{});
  CHECK(log->status().bytes <= 64 * limits::kKiB);
  auto reader = *log->reader(Offset{});
  const auto batch = reader->read({});
  REQUIRE(batch);
  REQUIRE(batch->gap);
  CHECK(batch->gap->from == Offset{});
  CHECK(batch->gap->to == log->first());
  CHECK(reader->position() == log->first());
  const Offset first = log->first();
  log.reset();
  CHECK(open_or_fail(path, small_segments())->first() == first);
}

TEST_CASE("file log: retention never overtakes a group unless told to", "[eventlog][file]") {
  const TempDir dir;
  const std::string path = dir.path() + "/log";
  {
    auto log = open_or_fail(path, small_segments());
    append_until_segments(*log, 8);
    REQUIRE(log->group_offsets().commit("slow", Offset(1)));
  }
  LogOptions options = small_segments();
  options.retention.bytes = 1;
  {
    auto log = open_or_fail(path, options);
    REQUIRE(append_now(*log, {new_event("{}")}));
    CHECK(log->first() == Offset{});
  }
  options.retention.beyond_groups = true;
  auto log = open_or_fail(path, options);
  REQUIRE(append_now(*log, {new_event("{}")}));
  CHECK(log->first() > Offset{});
}

TEST_CASE("file log: a rare filter finds its events over many segments, both ways",
          "[eventlog][file]") {
  const TempDir dir;
  const std::string path = dir.path() + "/log";
  auto log = open_or_fail(path, small_segments());
  REQUIRE(append_now(*log, {new_event("first", "rare", "s")}));
  append_until_segments(*log, 6);
  const auto last = append_now(*log, {new_event("last", "rare", "s")});
  REQUIRE(last);
  REQUIRE(log->close());
  log = open_or_fail(path, small_segments());
  const auto filter = event::Filter::make({"rare"}, std::nullopt);
  REQUIRE(filter);
  ReadRequest request;
  request.filter = &*filter;
  auto reader = *log->reader(Beginning{});
  const auto forward = reader->read(request);
  REQUIRE(forward);
  REQUIRE(forward->events.size() == 2);
  CHECK(forward->events[0].payload == "first");
  CHECK(forward->events[1].offset == last->places[0].offset);
  CHECK(reader->position() == log->end());
  const auto back = reader->read_back(request);
  REQUIRE(back);
  REQUIRE(back->events.size() == 2);
  CHECK(back->events[0].payload == "last");
  CHECK(reader->position() == Offset{});
}

TEST_CASE("file log: a directory of something else is refused and left alone", "[eventlog][file]") {
  const TempDir dir;
  std::ofstream(dir.path() + "/CURRENT") << "x";
  const auto log = open_log(dir.path(), {});
  REQUIRE_FALSE(log);
  CHECK(log.error().code == Errc::foreign);
  CHECK_FALSE(std::filesystem::exists(dir.path() + "/LOCK"));
}

TEST_CASE("file log: a directory that others may write is refused", "[eventlog][file]") {
  const TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0770) == 0);
  const auto log = open_log(dir.path(), {});
  REQUIRE_FALSE(log);
  CHECK(log.error().code == std::errc::permission_denied);
}

TEST_CASE("file log: info and verify tell what is there beside a running writer",
          "[eventlog][file]") {
  const TempDir dir;
  const std::string path = dir.path() + "/log";
  auto log = open_or_fail(path, small_segments());
  append_until_segments(*log, 3);
  REQUIRE(log->group_offsets().commit("g", Offset(2)));
  const auto info = file::read_log_info(io::posix_file_system(), path);
  REQUIRE(info);
  CHECK(info->log_id == log->log_id());
  CHECK(info->end == log->end());
  CHECK(info->segments.size() == 3);
  CHECK(info->segments[0].sealed);
  CHECK_FALSE(info->segments[2].sealed);
  CHECK(info->groups.at("g") == Offset(2));
  REQUIRE(info->durable);
  CHECK_FALSE(info->durable->closed);
  const auto report = file::verify_log(io::posix_file_system(), path);
  REQUIRE(report);
  CHECK_FALSE(report->is_damaged());
  CHECK(report->events == log->end().value());
}
