// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventlog/event_log.hpp"
#include "unit/consumers/crash/steps.hpp"

namespace vibes::test {

/// Every commit is a step before and one after, and is noted. The group's first, with which it
/// comes to be, is none: it runs beside the consumer, and steps have an order.
class SteppingOffsets final : public eventlog::GroupOffsets {
 public:
  using Committed = std::function<void(Offset)>;

  SteppingOffsets(eventlog::GroupOffsets& real, Steps& steps, Committed committed)
      : real_(real), steps_(steps), committed_(std::move(committed)) {}
  Result<void> commit(std::string_view group, Offset next) override {
    if (next == Offset(0)) {
      return real_.commit(group, next);
    }
    steps_.reach("before commit");
    steps_.note("committing " + std::to_string(next.value()));
    VIBES_TRY(real_.commit(group, next));
    steps_.note("committed " + std::to_string(next.value()));
    steps_.reach("after commit");
    committed_(next);
    return {};
  }
  [[nodiscard]] std::optional<Offset> committed(std::string_view group) const override {
    return real_.committed(group);
  }
  [[nodiscard]] std::map<std::string, Offset, std::less<>> all() const override {
    return real_.all();
  }
  Result<void> remove(std::string_view group) override { return real_.remove(group); }

 private:
  eventlog::GroupOffsets& real_;
  Steps& steps_;
  const Committed committed_;
};

/// A log in which every append and every commit of a group is a step before and one after.
class SteppingLog final : public eventlog::EventLog {
 public:
  SteppingLog(eventlog::EventLog& real, Steps& steps, SteppingOffsets::Committed committed)
      : real_(real), steps_(steps), offsets_(real.group_offsets(), steps, std::move(committed)) {}
  [[nodiscard]] Uuid log_id() const override { return real_.log_id(); }
  Result<void> append(std::vector<event::NewEvent> batch, eventlog::AppendDone done) override {
    steps_.reach("before append");
    VIBES_TRY(real_.append(std::move(batch), std::move(done)));
    steps_.reach("after append");
    return {};
  }
  Result<std::unique_ptr<eventlog::Reader>> reader(const eventlog::Position& position) override {
    return real_.reader(position);
  }
  Result<Offset> resolve(const eventlog::Position& position) override {
    return real_.resolve(position);
  }
  [[nodiscard]] Offset first() const override { return real_.first(); }
  [[nodiscard]] eventlog::CommitSignal& signal() const override { return real_.signal(); }
  [[nodiscard]] eventlog::GroupOffsets& group_offsets() override { return offsets_; }
  [[nodiscard]] eventlog::LogStatus status() const override { return real_.status(); }
  Result<void> close() override { return real_.close(); }

 private:
  eventlog::EventLog& real_;
  Steps& steps_;
  SteppingOffsets offsets_;
};

}  // namespace vibes::test
