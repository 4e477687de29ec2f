// SPDX-License-Identifier: MIT
#include "contract/harness.hpp"

namespace vibes::test {
namespace {

using eventlog::Origin;

const Origin kOrigin{*parse_uuid("018c0000-0000-7000-8000-00000000abcd"), Offset(1'000)};

std::vector<event::NewEvent> batch_of(std::uint64_t from, std::uint64_t to) {
  std::vector<event::NewEvent> batch;
  for (; from < to; ++from) {
    batch.push_back(numbered(from));
  }
  return batch;
}

}  // namespace

TEST_CASE("EventLog contract: a copy has the identity and the offsets of its source",
          "[eventlog][contract]") {
  Engine engine(any_copy_engine(), kOrigin);
  eventlog::CopyTarget& log = engine.log();

  CHECK(log.log_id() == kOrigin.log_id);
  CHECK(log.first() == kOrigin.first);
  CHECK(log.end() == kOrigin.first);
  CHECK(read_all(log).empty());
  append_numbered(log, 0, 500);
  CHECK(log.first() == kOrigin.first);
  CHECK(log.end() == kOrigin.first + 500);
  const auto all = read_all(log);
  REQUIRE(all.size() == 500);
  CHECK(all.front().offset == kOrigin.first);
  CHECK(all.back().payload == numbered(499).payload);
  const auto cursor = log.cursor_at(kOrigin.first);
  REQUIRE(cursor);
  CHECK(log.resume(*cursor).value() == kOrigin.first);
}

TEST_CASE("EventLog contract: a copy keeps the times of its source, and never goes back",
          "[eventlog][contract]") {
  Engine engine(any_copy_engine(), kOrigin);
  eventlog::CopyTarget& log = engine.log();
  const std::int64_t start = engine.clock.now_us - 5'000'000;

  REQUIRE(append_recorded(log, batch_of(0, 2), Timestamp{start}));
  REQUIRE(append_recorded(log, batch_of(2, 4), Timestamp{start + 7}));
  REQUIRE(append_recorded(log, batch_of(4, 5), Timestamp{start + 3}));
  const auto all = read_all(log);
  REQUIRE(all.size() == 5);
  CHECK(all[0].time == Timestamp{start});
  CHECK(all[1].time == Timestamp{start});
  CHECK(all[2].time == Timestamp{start + 7});
  CHECK(all[3].time == Timestamp{start + 7});
  CHECK(all[4].time == Timestamp{start + 7});
  CHECK(log.resolve(eventlog::AtTime{Timestamp{start + 1}}).value() == kOrigin.first + 2);
}

TEST_CASE("EventLog contract: many times in one queue stay apart", "[eventlog][contract]") {
  Engine engine(any_copy_engine(), kOrigin);
  eventlog::CopyTarget& log = engine.log();
  constexpr std::uint64_t kCount = 300;
  const std::int64_t start = engine.clock.now_us - 5'000'000;

  std::promise<void> last;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    REQUIRE(log.append_recorded(batch_of(i, i + 1), Timestamp{start + static_cast<std::int64_t>(i)},
                                [&last, i](const Result<AppendReceipt>& receipt) {
                                  CHECK(receipt);
                                  if (i + 1 == kCount) {
                                    last.set_value();
                                  }
                                }));
  }
  last.get_future().get();
  const auto all = read_all(log);
  REQUIRE(all.size() == kCount);
  for (std::uint64_t i = 0; i < kCount; ++i) {
    CHECK(all[i].time == Timestamp{start + static_cast<std::int64_t>(i)});
  }
}

TEST_CASE("EventLog contract: a copy goes on after a restart, and no other log does in its place",
          "[eventlog][contract]") {
  Engine engine(Engine::Kind::file, kOrigin);
  append_numbered(engine.log(), 0, 300);
  engine.restart();
  CHECK(engine.log().log_id() == kOrigin.log_id);
  CHECK(engine.log().first() == kOrigin.first);
  append_numbered(engine.log(), 300, 400);
  CHECK(read_all(engine.log()).size() == 400);

  engine.close();
  engine.options.origin = Origin{random_uuid(), Offset(0)};
  const auto opened = eventlog::open_log(engine.url(), engine.options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == eventlog::Errc::foreign);
}

TEST_CASE("EventLog contract: a copy that goes on after a restart keeps the times too",
          "[eventlog][contract]") {
  Engine engine(any_lasting_engine());
  const std::int64_t start = engine.clock.now_us - 5'000'000;

  REQUIRE(append_recorded(engine.log(), batch_of(0, 1), Timestamp{start}));
  engine.restart();
  REQUIRE(append_recorded(engine.log(), batch_of(1, 2), Timestamp{start}));
  REQUIRE(append_recorded(engine.log(), batch_of(2, 3), Timestamp{start + 1}));
  const auto all = read_all(engine.log());
  REQUIRE(all.size() == 3);
  CHECK(all[1].time == Timestamp{start});
  CHECK(all[2].time == Timestamp{start + 1});
}

TEST_CASE("EventLog contract: what idempotency knows can be asked for", "[eventlog][contract]") {
  Engine engine(any_copy_engine(), kOrigin);
  eventlog::CopyTarget& log = engine.log();
  const Uuid id = random_uuid();

  CHECK_FALSE(log.known(id));
  append_one(log, numbered(0));
  append_one(log, with_id(numbered(1), id));
  REQUIRE(log.known(id));
  CHECK(log.known(id)->offset == kOrigin.first + 1);
  CHECK(log.known(id)->fingerprint == eventlog::IdWindow::fingerprint(numbered(1).payload));
}

}  // namespace vibes::test
