// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "eventlog/memory/memory_event_log.hpp"
#include "session/session_registry.hpp"
#include "support/catch.hpp"

namespace vibes::session::test {

using namespace std::chrono_literals;

// How long to wait for what must happen; only a failing test uses it up.
inline constexpr std::chrono::milliseconds kPatience = 20'000ms;

/// The memory log, but it can be made to refuse, or to keep what is appended as if its engine were
/// away.
class RefusingLog final : public eventlog::EventLog {
 public:
  enum class Mode { take, refuse, fail_later, keep };

  void set_mode(Mode mode) {
    const MutexLock lock(mutex_);
    mode_ = mode;
  }
  [[nodiscard]] std::size_t refusals() const {
    const MutexLock lock(mutex_);
    return refusals_;
  }
  /// Waits until `count` appends were refused.
  void await_refusals(std::size_t count) {
    MutexLock lock(mutex_);
    while (refusals_ < count) {
      REQUIRE(refused_.wait_for(lock, kPatience) == std::cv_status::no_timeout);
    }
  }

  [[nodiscard]] Uuid log_id() const override { return log_->log_id(); }
  Result<void> append(std::vector<event::NewEvent> batch, eventlog::AppendDone done) override {
    Mode mode{};
    {
      const MutexLock lock(mutex_);
      mode = mode_;
      if (mode == Mode::refuse || mode == Mode::fail_later) {
        ++refusals_;
        refused_.notify_all();
      }
    }
    if (mode == Mode::refuse) {
      return fail(eventlog::Errc::queue_full, {});
    }
    if (mode == Mode::fail_later) {
      // The worst kind: it was appended, but nobody knows.
      return log_->append(std::move(batch), [done = std::move(done)](const auto& /*receipt*/) {
        done(fail(eventlog::Errc::indeterminate, "the answer was lost"));
      });
    }
    if (mode == Mode::keep) {
      done(keep(std::move(batch)));
      return {};
    }
    return log_->append(std::move(batch), std::move(done));
  }
  /// What was kept comes into the log.
  void come_back() {
    const MutexLock lock(mutex_);
    mode_ = Mode::take;
    for (auto& batch : std::exchange(kept_, {})) {
      REQUIRE(log_->append(std::move(batch), [](const auto& /*receipt*/) {}));
    }
  }
  Result<std::unique_ptr<eventlog::Reader>> reader(const eventlog::Position& position) override {
    return log_->reader(position);
  }
  Result<Offset> resolve(const eventlog::Position& position) override {
    return log_->resolve(position);
  }
  [[nodiscard]] Offset first() const override { return log_->first(); }
  [[nodiscard]] eventlog::CommitSignal& signal() const override { return log_->signal(); }
  [[nodiscard]] eventlog::GroupOffsets& group_offsets() override { return log_->group_offsets(); }
  [[nodiscard]] eventlog::LogStatus status() const override { return log_->status(); }
  Result<void> close() override { return log_->close(); }

 private:
  eventlog::AppendReceipt keep(std::vector<event::NewEvent> batch) {
    eventlog::AppendReceipt receipt;
    receipt.pending = true;
    for (const event::NewEvent& event : batch) {
      receipt.places.push_back({Offset{}, *event.event_id, false});
    }
    const MutexLock lock(mutex_);
    kept_.push_back(std::move(batch));
    return receipt;
  }

  std::unique_ptr<eventlog::EventLog> log_ = eventlog::make_memory_log({});
  mutable Mutex mutex_;
  CondVar refused_;
  Mode mode_ = Mode::take;
  std::size_t refusals_ = 0;
  std::vector<std::vector<event::NewEvent>> kept_;
};

/// All payloads of a log, waiting until there are `count`.
inline std::vector<std::string> await_events(eventlog::EventLog& log, std::uint64_t count) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (log.end().value() < count && std::chrono::steady_clock::now() < deadline) {
    (void)log.signal().wait_beyond(log.end(), {}, 1'000ms);
  }
  auto reader = log.reader(eventlog::Beginning{});
  REQUIRE(reader);
  std::vector<std::string> payloads;
  for (;;) {
    const auto batch = (*reader)->read({});
    REQUIRE(batch);
    if (batch->events.empty()) {
      break;
    }
    for (const event::EventView& event : batch->events) {
      payloads.emplace_back(event.payload);
    }
  }
  return payloads;
}

/// One client of a session, on the test's thread.
class Viewer {
 public:
  Viewer() : signal_(std::make_shared<Signal>()) {}

  Attachment::Wake wake() {
    return [signal = signal_] {
      const MutexLock lock(signal->mutex);
      signal->woken = true;
      signal->changed.notify_all();
    };
  }
  void take(std::shared_ptr<Attachment> attachment) { attachment_ = std::move(attachment); }
  Attachment& attachment() { return *attachment_; }
  void detach() { attachment_.reset(); }

  /// Takes what is ready.
  void pump() {
    while (auto piece = attachment_->next(32 * 1024)) {
      switch (piece->kind) {
        case Attachment::Piece::Kind::replay:
          replay += piece->bytes;
          break;
        case Attachment::Piece::Kind::redraw:
          ++redraws;
          output = piece->bytes;  // it starts with a reset of the terminal
          break;
        case Attachment::Piece::Kind::output:
          output += piece->bytes;
          break;
        case Attachment::Piece::Kind::end:
          end = piece->end;
          return;
      }
    }
  }
  void await_end() {
    for (pump(); !end; pump()) {
      wait();
    }
  }
  void await_output(const std::string& text) {
    for (pump(); output.find(text) == std::string::npos; pump()) {
      INFO("so far: " << output);
      REQUIRE(!end);
      wait();
    }
  }

  std::string replay;
  std::string output;
  int redraws = 0;
  std::optional<SessionEnd> end;

 private:
  struct Signal {
    Mutex mutex;
    CondVar changed;
    bool woken = false;
  };
  void wait() {
    MutexLock lock(signal_->mutex);
    while (!signal_->woken) {
      INFO("so far: " << output);
      REQUIRE(signal_->changed.wait_for(lock, kPatience) == std::cv_status::no_timeout);
    }
    signal_->woken = false;
  }

  std::shared_ptr<Signal> signal_;  // shared with the wakes
  std::shared_ptr<Attachment> attachment_;
};

/// A registry over a memory log, driven synchronously.
class Sessions {
 public:
  explicit Sessions(RegistryOptions options = {}) {
    if (options.environment.empty()) {
      options.environment = {"PATH=/usr/bin:/bin", "HOME=/", "SHELL=/bin/sh", "PS1=$ "};
    }
    auto started = SessionRegistry::start(log, std::move(options));
    REQUIRE(started);
    registry = *std::move(started);
  }

  Result<SessionInfo> create(SessionSpec spec) {
    std::promise<Result<SessionInfo>> promise;
    registry->create(std::move(spec), [&](Result<SessionInfo> made) { promise.set_value(made); });
    return get(promise);
  }
  Result<SessionInfo> create(const std::string& id, std::vector<std::string> command) {
    SessionSpec spec;
    spec.id = id;
    spec.command = std::move(command);
    return create(std::move(spec));
  }
  Result<void> attach(Viewer& viewer, SessionSpec spec) {
    std::promise<Result<void>> promise;
    registry->attach(std::move(spec), viewer.wake(),
                     [&](Result<std::shared_ptr<Attachment>> attached) {
                       if (attached) {
                         viewer.take(*std::move(attached));
                         promise.set_value({});
                       } else {
                         promise.set_value(fail(attached.error()));
                       }
                     });
    return get(promise);
  }
  /// Attaches, creating the session to run `script` if it is missing.
  Result<void> attach(Viewer& viewer, const std::string& id, const std::string& script = {}) {
    SessionSpec spec;
    spec.id = id;
    if (!script.empty()) {
      spec.command = {"/bin/sh", "-c", script};
    }
    return attach(viewer, std::move(spec));
  }
  Result<void> input(const std::string& id, std::string bytes) {
    std::promise<Result<void>> promise;
    registry->input(id, std::move(bytes), [&](Result<void> done) { promise.set_value(done); });
    return get(promise);
  }
  Result<void> resize(const std::string& id, unsigned cols, unsigned rows) {
    std::promise<Result<void>> promise;
    registry->resize(id, cols, rows, [&](Result<void> done) { promise.set_value(done); });
    return get(promise);
  }
  Result<void> kill(const std::string& id) {
    std::promise<Result<void>> promise;
    registry->kill(id, [&](Result<void> done) { promise.set_value(done); });
    return get(promise);
  }
  std::vector<std::string> events(std::uint64_t count) { return await_events(log, count); }

  RefusingLog log;
  std::unique_ptr<SessionRegistry> registry;

 private:
  template <class T>
  T get(std::promise<T>& promise) {
    auto future = promise.get_future();
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }
};

}  // namespace vibes::session::test
