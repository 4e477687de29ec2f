// SPDX-License-Identifier: MIT
#include "client/spool.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <sys/file.h>
#include <thread>

#include <fcntl.h>

#include "client/errc.hpp"
#include "event/check.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using vibes::client::Errc;
using vibes::client::kNever;
using vibes::client::make_error_code;
using vibes::client::Spool;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kBatch = 200;  // a few events

vibes::event::NewEvent numbered(int number) {
  static vibes::UuidV7Generator ids;
  auto event = *vibes::event::check(R"({"type":"note","n":)" + std::to_string(number) + "}");
  event.event_id = ids.next(vibes::system_clock().now());
  return event;
}

struct Fixture {
  vibes::test::TempDir dir;
  std::filesystem::path folder = std::filesystem::path(dir.path()) / "spool";
  Spool spool{folder};
  std::vector<std::string> delivered;

  void append(int from, int to) {
    for (int i = from; i < to; ++i) {
      const auto event = numbered(i);
      REQUIRE(spool.append({&event, 1}));
    }
  }
  /// Delivers into `delivered`; fails once `capacity` events are there.
  vibes::Result<std::uint64_t> drain(std::size_t capacity = SIZE_MAX) {
    return spool.drain(kBatch, kNever, [&](auto batch) -> vibes::Result<void> {
      if (delivered.size() + batch.size() > capacity) {
        return vibes::fail(make_error_code(Errc::unavailable), "full");
      }
      for (const auto& event : batch) {
        delivered.push_back(event.payload);
      }
      return {};
    });
  }
  void expect_delivered(int to) const {
    REQUIRE(delivered.size() == static_cast<std::size_t>(to));
    for (int i = 0; i < to; ++i) {
      CHECK(delivered[static_cast<std::size_t>(i)] ==
            R"({"type":"note","n":)" + std::to_string(i) + "}");
    }
  }
  void add_bytes(std::string_view bytes) const {
    std::ofstream(folder / "events", std::ios::app) << bytes;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "spool: what is appended is drained in order, once", "[client][spool]") {
  CHECK(spool.is_empty());
  append(0, 25);
  CHECK_FALSE(spool.is_empty());
  CHECK(*drain() == 25);
  expect_delivered(25);
  CHECK(spool.is_empty());
  CHECK(*drain() == 0);
  append(25, 30);
  CHECK(*drain() == 5);
  expect_delivered(30);
}

TEST_CASE_METHOD(Fixture, "spool: a drain that fails goes on where it was, before newer events",
                 "[client][spool]") {
  append(0, 20);
  CHECK(drain(10).error().code == make_error_code(Errc::unavailable));
  CHECK(delivered.size() > 0);
  append(20, 25);
  CHECK(drain());
  expect_delivered(25);
}

TEST_CASE_METHOD(Fixture,
                 "spool: a drain that was killed between delivery and note repeats one batch",
                 "[client][spool]") {
  append(0, 20);
  CHECK_FALSE(drain(10));
  const auto before = delivered.size();
  // The note of the last batch is lost: the drain starts over.
  std::filesystem::remove(folder / "drained");
  delivered.clear();
  CHECK(*drain() == 20);
  expect_delivered(20);
  CHECK(before < 20);
}

TEST_CASE_METHOD(Fixture, "spool: a drain whose time is up begins no batch and loses nothing",
                 "[client][spool]") {
  append(0, 10);
  const auto timed_out = make_error_code(Errc::timed_out);
  const auto deliver = [&](auto batch) -> vibes::Result<void> {
    for (const auto& event : batch) {
      delivered.push_back(event.payload);
    }
    return {};
  };
  const auto past = spool.drain(kBatch, kNever, deliver, vibes::client::within(0ms));
  REQUIRE(!past);
  CHECK(past.error().code == timed_out);
  CHECK(delivered.empty());
  const auto soon = vibes::client::within(50ms);
  const auto slow = [&](auto batch) -> vibes::Result<void> {
    std::this_thread::sleep_until(soon);
    return deliver(batch);
  };
  const auto cut = spool.drain(kBatch, kNever, slow, soon);
  REQUIRE(!cut);
  CHECK(cut.error().code == timed_out);
  CHECK(delivered.size() < 10);
  CHECK(!delivered.empty());
  append(10, 12);
  REQUIRE(drain());
  expect_delivered(12);
  CHECK(spool.is_empty());
}

TEST_CASE_METHOD(Fixture, "spool: appenders at the same time lose nothing and tear no line",
                 "[client][spool]") {
  constexpr int kEach = 25;
  const auto append_some = [&](int from) {
    for (int i = from; i < from + kEach; ++i) {
      auto event = *vibes::event::check(R"({"type":"note","n":)" + std::to_string(i) + "}");
      event.event_id = vibes::random_uuid();
      if (!Spool(folder).append({&event, 1})) {
        return false;
      }
    }
    return true;
  };
  std::vector<std::future<bool>> appenders;
  for (int i = 0; i < 8; ++i) {
    appenders.push_back(std::async(std::launch::async, append_some, i * kEach));
  }
  while (delivered.size() < 8 * kEach) {
    REQUIRE(drain());
    if (std::all_of(appenders.begin(), appenders.end(), [](const auto& appender) {
          return appender.wait_for(0ms) == std::future_status::ready;
        })) {
      REQUIRE(drain());
      break;
    }
  }
  for (auto& appender : appenders) {
    CHECK(appender.get());
  }
  REQUIRE(delivered.size() == 8 * kEach);
  const auto place = [&](int n) {
    return std::find(delivered.begin(), delivered.end(),
                     R"({"type":"note","n":)" + std::to_string(n) + "}");
  };
  for (int n = 0; n < 8 * kEach; ++n) {
    CHECK(place(n) != delivered.end());
    CHECK((n % kEach == 0 || place(n - 1) < place(n)));  // each one's in order
  }
}

TEST_CASE_METHOD(Fixture, "spool: a note left by a finished drain does not skip the next one",
                 "[client][spool]") {
  append(0, 3);
  REQUIRE(drain());
  std::ofstream(folder / "drained") << "00000000000000000050\n";
  append(3, 6);
  REQUIRE(drain());
  expect_delivered(6);
}

TEST_CASE_METHOD(Fixture, "spool: a torn last line is cut off by the next append",
                 "[client][spool]") {
  append(0, 2);
  add_bytes("01900000-0000-7000-8000-000000000001 {\"type\":\"no");
  append(2, 3);
  REQUIRE(drain());
  expect_delivered(3);
}

TEST_CASE_METHOD(Fixture, "spool: a torn last line is not delivered", "[client][spool]") {
  append(0, 2);
  add_bytes("01900000-0000-7000-8000-000000000001 {\"type\":\"note\"}");
  REQUIRE(drain());
  expect_delivered(2);
}

TEST_CASE_METHOD(Fixture, "spool: a line that is no event is set aside", "[client][spool]") {
  append(0, 1);
  add_bytes("garbage\n01900000-0000-7000-8000-000000000001 {\"no\":\"type\"}\n");
  append(1, 2);
  REQUIRE(drain());
  expect_delivered(2);
  std::ostringstream refused;
  refused << std::ifstream(folder / "refused").rdbuf();
  const std::string text = refused.str();
  CHECK(text.find("garbage") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE_METHOD(Fixture, "spool: it refuses to grow without bound, and keeps what it has",
                 "[client][spool]") {
  append(0, 1);
  std::filesystem::resize_file(folder / "events", 256U << 20U);  // sparse: one very long torn line
  add_bytes("\n");
  const auto event = numbered(1);
  CHECK(spool.append({&event, 1}).error().code == make_error_code(Errc::spool_full));
  CHECK(spool.bytes() == (256U << 20U) + 1);
}

TEST_CASE_METHOD(Fixture, "spool: losses are told once, in their place, when there is room again",
                 "[client][spool]") {
  append(0, 1);
  std::filesystem::resize_file(folder / "events", 256U << 20U);
  add_bytes("\n");
  const vibes::Timestamp noon{43'200'000'000};
  REQUIRE(spool.count_lost(1, noon, kNever));
  REQUIRE(spool.count_lost(2, {noon.unix_us + 1}, kNever));
  const auto event = numbered(1);
  CHECK_FALSE(spool.append({&event, 1}));
  std::filesystem::resize_file(folder / "events", 0);
  append(1, 2);
  append(2, 3);
  CHECK(*drain() == 3);
  REQUIRE(delivered.size() == 3);
  CHECK(delivered[0] == R"({"type":"spool_full","lost":3,"first":"1970-01-01T12:00:00.000000Z",)"
                        R"("last":"1970-01-01T12:00:00.000001Z"})");
  CHECK(delivered[1] == R"({"type":"note","n":1})");
}

TEST_CASE_METHOD(Fixture, "spool: losses are told by the drain where nobody appends any more",
                 "[client][spool]") {
  append(0, 2);
  REQUIRE(spool.count_lost(7, {}, kNever));
  CHECK(*drain() == 3);
  REQUIRE(delivered.size() == 3);
  CHECK(delivered[2].starts_with(R"({"type":"spool_full","lost":7,)"));
  CHECK(*drain() == 0);
}

TEST_CASE_METHOD(Fixture, "spool: a note of losses that makes no sense is forgotten",
                 "[client][spool]") {
  append(0, 1);
  std::ofstream(folder / "lost") << "what is this";
  append(1, 2);
  CHECK_FALSE(std::filesystem::exists(folder / "lost"));
  CHECK(*drain() == 2);
  expect_delivered(2);
}

TEST_CASE_METHOD(Fixture, "spool: an appender waits for another one until its deadline",
                 "[client][spool]") {
  append(0, 1);
  const vibes::UniqueFd lock(::open((folder / "lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  const auto event = numbered(1);
  const auto kept = spool.append({&event, 1}, std::chrono::steady_clock::now());
  REQUIRE_FALSE(kept);
  CHECK(kept.error().code == make_error_code(Errc::timed_out));
}

TEST_CASE_METHOD(Fixture, "spool: a folder that others may write is refused", "[client][spool]") {
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  const auto event = numbered(1);
  CHECK_FALSE(spool.append({&event, 1}));
}

TEST_CASE("spool: an event becomes one line without changing", "[client][spool]") {
  CHECK(vibes::client::to_one_line("{\n\"a\":\r\n1}") == "{ \"a\":  1}");
}
