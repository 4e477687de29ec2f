// SPDX-License-Identifier: MIT
#include "consumers/assessment/circuit_breaker.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

using Kind = Message::Kind;
using State = CircuitBreaker::State;

struct Course {
  std::optional<Intervention> take(const Reading& reading, Kind kind = Kind::prompt,
                                   std::int64_t seconds = 1) {
    now_us += seconds * 1'000'000;
    Message message;
    message.kind = kind;
    return breaker.take(message, reading, Timestamp{now_us});
  }
  std::optional<Intervention> negatives(unsigned count, std::int64_t seconds = 1) {
    Reading reading;
    reading.negatives = count;
    return take(reading, Kind::prompt, seconds);
  }
  std::optional<Intervention> tool(unsigned failures, std::int64_t seconds = 1) {
    Reading reading;
    reading.tool_failures = failures;
    return take(reading, Kind::tool_result, seconds);
  }
  std::optional<Intervention> correction() {
    Reading reading;
    reading.corrections = 1;
    return take(reading);
  }
  std::optional<Intervention> positive(std::int64_t seconds = 1) {
    Reading reading;
    reading.positives = 1;
    return take(reading, Kind::prompt, seconds);
  }
  CircuitBreaker breaker;
  std::int64_t now_us = 1'000'000'000;
};

TEST_CASE("breaker: three negatives open it, two do not", "[assessment]") {
  Course course;
  CHECK(!course.negatives(2));
  CHECK(course.breaker.state == State::closed);
  const auto intervention = course.negatives(1);
  REQUIRE(intervention);
  CHECK(intervention->kind == InterventionKind::explicit_check_in);
  CHECK(course.breaker.state == State::open);
}

TEST_CASE("breaker: the score halves every 60 seconds of event time", "[assessment]") {
  Course course;
  course.negatives(2);
  course.negatives(0, 59);
  CHECK(course.breaker.score == 1.6);
  course.negatives(0, 1);
  CHECK(course.breaker.score == 0.8);
  course.negatives(0, 120);
  CHECK(std::abs(course.breaker.score - 0.2) < 1e-12);
  CHECK(!course.negatives(2));  // 1.8
  CHECK(course.breaker.state == State::closed);
}

TEST_CASE("breaker: three tool failures in a row open it, a success between them does not",
          "[assessment]") {
  Course course;
  course.tool(1);
  course.tool(1);
  course.tool(0);
  course.tool(1);
  course.tool(1, 300);
  CHECK(course.breaker.state == State::closed);
  const auto intervention = course.tool(1);
  REQUIRE(intervention);
  CHECK(intervention->kind == InterventionKind::approach_pivot);
}

TEST_CASE("breaker: three corrections in five messages open it, in six they do not",
          "[assessment]") {
  Course course;
  course.correction();
  course.negatives(0);
  course.correction();
  course.negatives(0);
  course.tool(0);  // the agent at work between them
  CHECK(course.breaker.state == State::closed);
  const auto intervention = course.correction();
  REQUIRE(intervention);
  CHECK(intervention->kind == InterventionKind::clarification_pause);

  Course slow;
  slow.correction();
  slow.negatives(0);
  slow.correction();
  slow.negatives(0);
  slow.negatives(0);
  CHECK(!slow.correction());
  CHECK(slow.breaker.state == State::closed);
}

TEST_CASE("breaker: what opened it does not open it a second time", "[assessment]") {
  Course corrected;
  for (int i = 0; i < 3; ++i) {
    corrected.correction();
  }
  CHECK(!corrected.negatives(0, 120));
  CHECK(corrected.breaker.state == State::half_open);
  Course failing;
  for (int i = 0; i < 3; ++i) {
    failing.tool(1);
  }
  CHECK(!failing.tool(1, 120));
  CHECK(failing.breaker.state == State::half_open);
}

TEST_CASE("breaker: the same prompt again opens it", "[assessment]") {
  Course course;
  Reading reading;
  reading.retries = 1;
  CHECK(course.take(reading));
  CHECK(course.breaker.state == State::open);
}

TEST_CASE("breaker: open for 120 seconds, then a positive closes it and a negative opens it",
          "[assessment]") {
  Course course;
  course.negatives(3);
  course.positive(119);
  CHECK(course.breaker.state == State::open);
  course.negatives(0, 1);
  CHECK(course.breaker.state == State::half_open);
  course.positive();
  CHECK(course.breaker.state == State::closed);
  CHECK(course.breaker.score == 0);

  course.negatives(3);
  course.negatives(0, 120);
  CHECK(course.breaker.state == State::half_open);
  course.negatives(1);
  CHECK(course.breaker.state == State::open);
  CHECK(course.breaker.openings == 3);
}

TEST_CASE("breaker: at most three interventions; later openings are only counted", "[assessment]") {
  Course course;
  int interventions = 0;
  for (int i = 0; i < 5; ++i) {
    interventions += course.negatives(3, 120) ? 1 : 0;
    course.positive(0);
    course.positive(0);
    course.positive(0);
  }
  CHECK(interventions == 3);
  CHECK(course.breaker.openings == 5);
  CHECK(course.breaker.held_back == 2);
}

TEST_CASE("breaker: interventions are three messages apart", "[assessment]") {
  Course course;
  CHECK(course.negatives(3));
  course.negatives(0, 120);     // one message later it is half open
  CHECK(!course.negatives(1));  // two
  CHECK(course.breaker.state == State::open);
  CHECK(course.breaker.held_back == 1);
  CHECK(course.negatives(1, 120));  // three
}

}  // namespace
}  // namespace vibes::consumers::assessment
