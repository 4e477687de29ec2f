// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "consumers/group_registry.hpp"
#include "eventlog/memory/memory_event_log.hpp"
#include "eventlog/open.hpp"
#include "support/catch.hpp"

namespace vibes::test {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp{now_us.load()}; }
  [[nodiscard]] std::int64_t steady_ns() const override { return now_us.load() * 1'000; }

  std::atomic<std::int64_t> now_us = 1'700'000'000'000'000;
};

/// Appends `count` events {"type":"n","n":N} numbered by their offset, and waits.
inline void append_numbered(eventlog::EventLog& log, std::uint64_t count) {
  std::promise<bool> answer;
  std::vector<event::NewEvent> batch;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(log.end().value() + i);
    batch.push_back({R"({"type":"n","n":)" + number + "}", "n", "", std::nullopt});
  }
  REQUIRE(log.append(std::move(batch), [&answer](const Result<eventlog::AppendReceipt>& receipt) {
    answer.set_value(receipt.has_value());
  }));
  REQUIRE(answer.get_future().get());
}

inline std::unique_ptr<eventlog::EventLog> memory_log(
    const Clock& clock, std::optional<std::uint64_t> bytes = std::nullopt) {
  eventlog::LogOptions options;
  options.clock = &clock;
  options.retention.bytes = bytes;
  return eventlog::make_memory_log(options);
}

inline consumers::GroupRegistry::Options registry_options(const Clock& clock) {
  consumers::GroupRegistry::Options options;
  options.clock = &clock;
  return options;
}

/// A registry over a memory log.
struct RegistryFixture {
  RegistryFixture() {
    auto opened = consumers::GroupRegistry::open(*log, registry_options(clock));
    REQUIRE(opened);
    registry = *std::move(opened);
  }
  void append(std::uint64_t count) { append_numbered(*log, count); }
  Uuid event_id_at(std::uint64_t offset) {
    auto reader = log->reader(Offset(offset));
    return (*reader)->read({.events_max = 1})->events[0].event_id;
  }

  ManualClock clock;
  std::unique_ptr<eventlog::EventLog> log = memory_log(clock);
  std::unique_ptr<consumers::GroupRegistry> registry;
};

}  // namespace vibes::test
