// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consumers/assessment/assessment_consumer.hpp"
#include "event/check.hpp"
#include "io/sim_disk.hpp"
#include "unit/consumers/fixture.hpp"

namespace vibes::consumers::assessment {

using Lines = std::vector<std::string>;

inline constexpr const char* kState = "/state/assessment.json";

/// A memory log with a recorded day in it, an event a second, and a disk for the state.
struct Day {
  Day() {
    REQUIRE(disk.make_directory("/state").has_value());
    std::ifstream file(VIBES_SAMPLE);
    for (std::string line; std::getline(file, line);) {
      append(line);
    }
    length = log->end().value();
  }

  void append(const std::string& payload) {
    clock.now_us += 1'000'000;
    auto checked = event::check(payload);
    REQUIRE(checked.has_value());
    // Two logs of the same day give their events the same ids.
    checked->event_id = name_uuid(kUrlNamespace, std::to_string(log->end().value()));
    std::promise<bool> answer;
    REQUIRE(log->append({*std::move(checked)},
                        [&answer](const auto& receipt) { answer.set_value(receipt.has_value()); }));
    REQUIRE(answer.get_future().get());
  }

  std::unique_ptr<AssessmentConsumer> open(Offset start, const Patterns& patterns = Patterns(),
                                           std::optional<BackendOptions> model = {}) {
    auto consumer = AssessmentConsumer::open(*log, disk, kState, patterns, start, std::move(model));
    REQUIRE(consumer.has_value());
    return *std::move(consumer);
  }

  /// Hands over the events of [from, to).
  void feed(AssessmentConsumer& consumer, std::uint64_t from, std::uint64_t to) {
    auto reader = log->reader(Offset(from));
    REQUIRE(reader.has_value());
    for (std::uint64_t at = from; at < to; ++at) {
      const auto batch = (*reader)->read({.events_max = 1});
      REQUIRE(batch.has_value());
      REQUIRE(consumer.handle(batch->events[0], 1).kind == Outcome::Kind::ok);
    }
  }

  Offset settle(AssessmentConsumer& consumer, std::uint64_t handled) {
    const auto settled = consumer.settle(Offset(handled), Handler::Occasion::routine);
    REQUIRE(settled.has_value());
    return *settled;
  }

  /// What the log holds after the day, with the ids.
  Lines results() {
    Lines lines;
    auto reader = log->reader(Offset(length));
    while (lines.size() < log->end().value() - length) {
      const auto batch = (*reader)->read({});
      for (const auto& event : batch->events) {
        lines.push_back(to_string(event.event_id) + " " + std::string(event.payload));
      }
    }
    return lines;
  }

  /// Waits until the log has so many events after the day.
  void wait_for_results(std::size_t count) const {
    (void)log->signal().wait_beyond(Offset(length + count - 1), {}, std::chrono::hours(1));
  }

  test::ManualClock clock;
  std::unique_ptr<eventlog::EventLog> log = test::memory_log(clock);
  io::SimDisk disk;
  std::uint64_t length = 0;
};

}  // namespace vibes::consumers::assessment
