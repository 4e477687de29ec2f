// SPDX-License-Identifier: MIT
#include "consumers/assessment/assessment_consumer.hpp"

#include <cerrno>
#include <latch>
#include <thread>

#include "consumers/assessment/errc.hpp"
#include "consumers/group_runner.hpp"
#include "unit/consumers/assessment/day.hpp"

namespace vibes::consumers::assessment {
namespace {

TEST_CASE("assessment consumer: a replay without a state appends nothing twice",
          "[assessment][consumers]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0));
    day.feed(*consumer, 0, day.length);
    CHECK(day.settle(*consumer, day.length) == Offset(day.length));
  }
  const Lines once = day.results();
  CHECK(once.size() > 50);
  REQUIRE(day.disk.remove(kState).has_value());
  const auto consumer = day.open(Offset(0));
  const std::uint64_t end = day.log->end().value();
  day.feed(*consumer, 0, end);  // its own results too
  CHECK(day.settle(*consumer, end) == Offset(end));
  CHECK(day.results() == once);
  CHECK(consumer->conflicts() == 0);
}

TEST_CASE("assessment consumer: a restart resumes from what was settled",
          "[assessment][consumers]") {
  Day whole;
  const auto undisturbed = whole.open(Offset(0));
  whole.feed(*undisturbed, 0, whole.length);
  whole.settle(*undisturbed, whole.length);

  Day day;
  {
    const auto first = day.open(Offset(0));
    day.feed(*first, 0, 500);
    CHECK(day.settle(*first, 500) == Offset(500));
    day.feed(*first, 500, 600);  // and it dies before it settles these
  }
  const auto second = day.open(Offset(500));
  day.feed(*second, 500, day.length);
  day.settle(*second, day.length);
  CHECK(day.results() == whole.results());
  CHECK(second->conflicts() == 0);
}

TEST_CASE("assessment consumer: what the state holds is not folded again",
          "[assessment][consumers]") {
  Day day;
  {
    const auto first = day.open(Offset(0));
    day.feed(*first, 0, day.length);
    day.settle(*first, day.length);
  }
  const Lines once = day.results();
  // The commit was lost: the group begins at the beginning, the state does not.
  const auto second = day.open(Offset(0));
  day.feed(*second, 0, day.length);
  CHECK(day.settle(*second, day.length) == Offset(day.length));
  CHECK(day.results() == once);
  CHECK(second->conflicts() == 0);
}

TEST_CASE("assessment consumer: its own results make it write nothing", "[assessment][consumers]") {
  Day day;
  const auto consumer = day.open(Offset(0));
  day.feed(*consumer, 0, day.length);
  day.settle(*consumer, day.length);
  const std::uint64_t syncs = day.disk.syncs();
  const std::uint64_t end = day.log->end().value();
  day.feed(*consumer, day.length, end);
  CHECK(day.settle(*consumer, end) == Offset(end));
  CHECK(day.disk.syncs() == syncs);
}

TEST_CASE("assessment consumer: a state that cannot be written settles nothing",
          "[assessment][consumers]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0));
    day.feed(*consumer, 0, 300);
    CHECK(day.settle(*consumer, 300) == Offset(300));
    day.feed(*consumer, 300, 600);
    io::SimDisk::Fault fault;
    fault.calls = static_cast<unsigned>(io::SimDisk::Call::rename);
    fault.error = EIO;
    day.disk.inject(fault);
    CHECK(!consumer->settle(Offset(600), Handler::Occasion::routine));
    day.disk.heal();
  }
  const auto again = day.open(Offset(300));
  day.feed(*again, 300, day.length);
  CHECK(day.settle(*again, day.length) == Offset(day.length));
  CHECK(again->conflicts() == 0);
}

TEST_CASE("assessment consumer: an event that cannot be read is rejected, the others go on",
          "[assessment][consumers]") {
  Day day;
  const auto consumer = day.open(Offset(0));
  const event::EventView bad{Offset(0),    random_uuid(), day.clock.now(),
                             "user_input", "s",           R"({"content":7})"};
  CHECK(consumer->handle(bad, 1).kind == Outcome::Kind::reject);
  day.feed(*consumer, 1, day.length);
  CHECK(day.settle(*consumer, day.length) == Offset(day.length));
  CHECK(day.results().size() > 50);
}

TEST_CASE("assessment consumer: while the log takes nothing an event is to be tried again",
          "[assessment][consumers]") {
  Day day;
  const auto consumer = day.open(Offset(0));
  REQUIRE(day.log->close().has_value());
  const event::EventView angry{Offset(0),    random_uuid(), day.clock.now(),
                               "user_input", "s",           R"({"content":"it failed"})"};
  CHECK(consumer->handle(angry, 1).kind == Outcome::Kind::retry);
  CHECK(consumer->handle(angry, 2).kind == Outcome::Kind::retry);
  CHECK(day.settle(*consumer, 1) == Offset(0));
}

/// A log that takes every append and answers later, from another thread, always the same.
class AnsweringLog final : public eventlog::EventLog {
 public:
  using Answer = Result<eventlog::AppendReceipt>;
  AnsweringLog(eventlog::EventLog& inside, Answer answer)
      : inside_(inside), answer_(std::move(answer)) {}
  Result<void> append(std::vector<event::NewEvent> /*batch*/, eventlog::AppendDone done) override {
    answers_.emplace_back([this, done = std::move(done)] { done(answer_); });
    return {};
  }
  [[nodiscard]] Uuid log_id() const override { return inside_.log_id(); }
  Result<std::unique_ptr<eventlog::Reader>> reader(const eventlog::Position& position) override {
    return inside_.reader(position);
  }
  Result<Offset> resolve(const eventlog::Position& position) override {
    return inside_.resolve(position);
  }
  [[nodiscard]] Offset first() const override { return inside_.first(); }
  [[nodiscard]] eventlog::CommitSignal& signal() const override { return inside_.signal(); }
  [[nodiscard]] eventlog::GroupOffsets& group_offsets() override { return inside_.group_offsets(); }
  [[nodiscard]] eventlog::LogStatus status() const override { return inside_.status(); }
  Result<void> close() override { return inside_.close(); }

 private:
  eventlog::EventLog& inside_;
  const Answer answer_;
  std::vector<std::jthread> answers_;
};

TEST_CASE("assessment consumer: results that were taken but not made durable settle nothing",
          "[assessment][consumers]") {
  Day day;
  AnsweringLog log(*day.log, fail(eventlog::Errc::storage_full, "the disk is full"));
  auto consumer = AssessmentConsumer::open(log, day.disk, kState, Patterns(), Offset(0));
  REQUIRE(consumer.has_value());
  day.feed(**consumer, 0, day.length);
  const auto settled = (*consumer)->settle(Offset(day.length), Handler::Occasion::last);
  REQUIRE(!settled);
  CHECK(settled.error().code == eventlog::Errc::storage_full);
  CHECK(!*day.disk.exists(kState));
}

TEST_CASE("assessment consumer: results that are pending settle what they were made of",
          "[assessment][consumers]") {
  Day day;
  eventlog::AppendReceipt kept;
  kept.pending = true;
  kept.places.push_back({Offset{}, random_uuid(), false});
  AnsweringLog log(*day.log, kept);
  auto consumer = AssessmentConsumer::open(log, day.disk, kState, Patterns(), Offset(0));
  REQUIRE(consumer.has_value());
  day.feed(**consumer, 0, day.length);
  const auto settled = (*consumer)->settle(Offset(day.length), Handler::Occasion::last);
  REQUIRE(settled);
  CHECK(*settled == Offset(day.length));
  CHECK(*day.disk.exists(kState));
}

TEST_CASE("assessment consumer: with other patterns the first results stay",
          "[assessment][consumers]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0));
    day.feed(*consumer, 0, day.length);
    day.settle(*consumer, day.length);
  }
  const Lines once = day.results();
  REQUIRE(day.disk.remove(kState).has_value());
  const auto patterns = Patterns::make({.negative = {"pipeline"}, .positive = {}});
  REQUIRE(patterns.has_value());
  const auto other = day.open(Offset(0), *patterns);
  day.feed(*other, 0, day.length);
  CHECK(day.settle(*other, day.length) == Offset(day.length));
  CHECK(other->conflicts() > 0);
  const Lines twice = day.results();
  CHECK(Lines(twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(once.size())) == once);
}

TEST_CASE("assessment consumer: a state of another log or none at all is refused",
          "[assessment][consumers]") {
  Day day;
  for (const std::string text :
       {"", "x", "{}\n{}", "{\"log_id\":7,\"next\":1}\n{}",
        "{\"log_id\":\"8f0f8f0f-8f0f-4f0f-8f0f-8f0f8f0f8f0f\",\"next\":1}\n{}"}) {
    const auto bytes = std::as_bytes(std::span(text));
    day.disk.set_contents(kState, {bytes.begin(), bytes.end()});
    const auto consumer =
        AssessmentConsumer::open(*day.log, day.disk, kState, Patterns(), Offset(1));
    INFO(text);
    REQUIRE(!consumer);
    CHECK(consumer.error().code == Errc::bad_state);
    // Who begins at the beginning needs no state.
    CHECK(AssessmentConsumer::open(*day.log, day.disk, kState, Patterns(), Offset(0)));
  }
}

TEST_CASE("assessment consumer: from the beginning on everything is assessed anew",
          "[assessment][consumers]") {
  Day day;
  {
    const auto consumer = day.open(Offset(0));
    day.feed(*consumer, 0, day.length);
    REQUIRE(consumer->settle(Offset(day.length), Handler::Occasion::last));
  }
  const Lines once = day.results();
  const std::uint64_t end = day.log->end().value();
  const auto again = day.open(Offset(0));
  day.feed(*again, 0, day.length);
  CHECK(day.settle(*again, day.length) == Offset(day.length));
  CHECK(again->conflicts() == 0);
  CHECK(day.results() == once);
  CHECK(day.log->end().value() == end);  // all of it was known
}

/// Counts what is handed to the handler inside.
class Counted final : public Handler {
 public:
  Counted(std::unique_ptr<Handler> inside, std::latch& handled)
      : inside_(std::move(inside)), handled_(handled) {}
  Outcome handle(const event::EventView& event, std::uint64_t attempt) override {
    Outcome outcome = inside_->handle(event, attempt);
    handled_.count_down();
    return outcome;
  }
  Result<Offset> settle(Offset handled, Occasion occasion) override {
    return inside_->settle(handled, occasion);
  }

 private:
  std::unique_ptr<Handler> inside_;
  std::latch& handled_;
};

TEST_CASE("assessment consumer: a group runs it over the day and over its own results",
          "[assessment][consumers]") {
  Day alone;
  const auto consumer = alone.open(Offset(0));
  alone.feed(*consumer, 0, alone.length);
  alone.settle(*consumer, alone.length);
  const Lines expected = alone.results();

  Day day;
  auto registry = GroupRegistry::open(*day.log, test::registry_options(day.clock));
  REQUIRE(registry.has_value());
  std::latch handled(static_cast<std::ptrdiff_t>(day.length + expected.size()));
  {
    const GroupRunner runner(*day.log, **registry,
                             [&day, &handled](Offset start) {
                               return std::make_unique<Counted>(day.open(start), handled);
                             },
                             {.group = "assessment", .clock = &day.clock});
    handled.wait();
  }
  CHECK(day.results() == expected);
  CHECK(day.log->group_offsets().committed("assessment") == day.log->end());
}

}  // namespace
}  // namespace vibes::consumers::assessment
