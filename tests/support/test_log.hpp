// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "eventlog/memory/memory_event_log.hpp"
#include "eventlog/open.hpp"

namespace vibes::test {

/// A memory log to which a test appends and waits until what it appended is visible.
class TestLog {
 public:
  explicit TestLog(eventlog::LogOptions options = {}) : log_(eventlog::make_memory_log(options)) {}

  [[nodiscard]] eventlog::EventLog& log() { return *log_; }

  /// Appends NDJSON as one batch.
  eventlog::AppendReceipt append(std::string_view ndjson) {
    auto checked = event::check_ndjson(ndjson);
    if (checked.refused) {
      throw std::runtime_error(checked.refused->error.message());
    }
    std::vector<event::NewEvent> events;
    for (std::size_t i = 0; i < checked.events.size(); ++i) {
      events.push_back(event::copy_of(checked.events[i]));
    }
    return append(std::move(events));
  }
  eventlog::AppendReceipt append(std::vector<event::NewEvent> events) {
    std::promise<Result<eventlog::AppendReceipt>> done;
    const Offset before = log_->end();
    const std::size_t count = events.size();
    const auto taken = log_->append(
        std::move(events),
        [&done](Result<eventlog::AppendReceipt> receipt) { done.set_value(std::move(receipt)); });
    if (!taken) {
      throw std::runtime_error(taken.error().message());
    }
    auto receipt = done.get_future().get();
    if (!receipt) {
      throw std::runtime_error(receipt.error().message());
    }
    // The receipt comes before the end moves.
    const std::uint64_t fresh = count - receipt->duplicates();
    if (fresh > 0) {
      log_->signal().wait_beyond(before + (fresh - 1), {}, std::chrono::minutes(1));
    }
    return *std::move(receipt);
  }
  /// `count` events {"type":type,"session_id":session,"n":…}, padded to about `bytes`
  /// each.
  void append_many(std::size_t count, const std::string& type, const std::string& session,
                   std::size_t bytes = 0) {
    std::vector<event::NewEvent> events;
    std::size_t pending_bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::string payload = R"({"type":")" + type + R"(","session_id":")" + session + R"(","n":)" +
                            std::to_string(made_++);
      if (payload.size() + 10 < bytes) {
        payload += R"(,"pad":")" + std::string(bytes - payload.size() - 10, 'x') + '"';
      }
      events.push_back({payload + '}', type, session, std::nullopt});
      pending_bytes += payload.size();
      if (pending_bytes > limits::kBatchBytesMax / 4) {
        append(std::exchange(events, {}));
        pending_bytes = 0;
      }
    }
    if (!events.empty()) {
      append(std::move(events));
    }
  }

 private:
  std::unique_ptr<eventlog::EventLog> log_;
  std::size_t made_ = 0;
};

}  // namespace vibes::test
