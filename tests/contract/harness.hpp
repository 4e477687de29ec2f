// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "engines/open.hpp"
#include "event/event.hpp"
#include "eventlog/copy_target.hpp"
#include "eventlog/open.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"
#include "support/temp_dir.hpp"

namespace vibes::test {

/// A clock that goes where the test wants it.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp{now_us.load()}; }
  [[nodiscard]] std::int64_t steady_ns() const override { return system_clock().steady_ns(); }

  std::atomic<std::int64_t> now_us = 1'700'000'000'000'000;
};

/// A stream in an iggy-server that all engines of that kind share (iggy_engine.cpp). Where this
/// machine has none the test program ends and says that it is skipped.
std::string iggy_url(const std::string& stream);

/// One engine under the contract: opens a log, closes and opens it again.
class Engine {
 public:
  enum class Kind { memory, file, nats, iggy };

  explicit Engine(Kind kind, std::optional<eventlog::Origin> origin = std::nullopt) : kind_(kind) {
    options.origin = origin;
    options.clock = &clock;
    options.state_directory = dir_.path() / "state";
    options.segment_bytes = 64 * limits::kKiB;  // so that every test crosses segments
    options.free_disk_floor_bytes = 0;
    open();
  }

  [[nodiscard]] bool survives_restart() const { return kind_ != Kind::memory; }
  [[nodiscard]] bool is_shared() const { return kind_ == Kind::nats || kind_ == Kind::iggy; }
  [[nodiscard]] eventlog::CopyTarget& log() { return *log_; }

  void open() {
    auto opened = engines::open_log(url(), options);
    if (!opened) {
      FAIL(opened.error().message());
    }
    log_ = *std::move(opened);
  }
  void close() {
    REQUIRE(log_->close());
    log_.reset();
  }
  void restart() {
    close();
    open();
  }

  [[nodiscard]] std::string url() const {
    switch (kind_) {
      case Kind::file:
        return "file:" + (dir_.path() / "log").string();
      case Kind::nats:
        return nats_server().url("/" + stream_);
      case Kind::iggy:
        return iggy_url(stream_);
      case Kind::memory:
        break;
    }
    return "memory:";
  }
  /// The one that all engines of that kind share.
  static NatsServer& nats_server() {
    static NatsServer server([] {
      NatsServerConfig config;
      config.max_payload = 8 * limits::kMiB;
      return config;
    }());
    return server;
  }

  ManualClock clock;
  eventlog::LogOptions options;

 private:
  static std::string next_stream() {
    static int made = 0;
    return "contract-" + std::to_string(++made);
  }

  const Kind kind_;
  const std::string stream_ = next_stream();
  TempDir dir_;
  std::unique_ptr<eventlog::CopyTarget> log_;
};

/// Those that another log can be copied into.
inline Engine::Kind any_copy_engine() { return GENERATE(Engine::Kind::memory, Engine::Kind::file); }
#ifdef VIBES_CONTRACT_OF_IGGY
inline Engine::Kind any_engine() { return Engine::Kind::iggy; }
inline Engine::Kind any_lasting_engine() { return Engine::Kind::iggy; }
#else
/// Runs the test case once per engine.
inline Engine::Kind any_engine() {
  return GENERATE(Engine::Kind::memory, Engine::Kind::file, Engine::Kind::nats);
}
/// Those that outlive the process.
inline Engine::Kind any_lasting_engine() {
  return GENERATE(Engine::Kind::file, Engine::Kind::nats);
}
#endif

/// A result that failed says why.
#define REQUIRE_OK(result)             \
  do {                                 \
    const auto& outcome = (result);    \
    if (!outcome) {                    \
      FAIL(outcome.error().message()); \
    }                                  \
  } while (false)

using eventlog::AppendReceipt;
using eventlog::EventLog;

inline event::NewEvent new_event(std::string type, std::string session = {},
                                 std::string more = {}) {
  std::string payload = R"({"type":")" + type + "\"";
  if (!session.empty()) {
    payload += R"(,"session_id":")" + session + "\"";
  }
  payload += more + "}";
  return {std::move(payload), std::move(type), std::move(session), std::nullopt};
}

/// An event of type x whose payload has `bytes` bytes.
inline event::NewEvent padded(std::size_t bytes) {
  const std::string_view around = R"({"type":"x","y":""})";
  return new_event("x", {}, ",\"y\":\"" + std::string(bytes - around.size(), 'y') + "\"");
}

/// An event whose payload names `number`.
inline event::NewEvent numbered(std::uint64_t number, std::string type = "n") {
  return new_event(std::move(type), {}, ",\"n\":" + std::to_string(number));
}

inline event::NewEvent with_id(event::NewEvent event, const Uuid& id) {
  event.event_id = id;
  return event;
}

/// Appends and waits for the ack.
inline Result<AppendReceipt> append(EventLog& log, std::vector<event::NewEvent> batch) {
  std::promise<Result<AppendReceipt>> answer;
  VIBES_TRY(log.append(std::move(batch), [&answer](Result<AppendReceipt> receipt) {
    answer.set_value(std::move(receipt));
  }));
  return answer.get_future().get();
}

inline Result<AppendReceipt> append_recorded(eventlog::CopyTarget& log,
                                             std::vector<event::NewEvent> batch, Timestamp time) {
  std::promise<Result<AppendReceipt>> answer;
  VIBES_TRY(log.append_recorded(std::move(batch), time, [&answer](Result<AppendReceipt> receipt) {
    answer.set_value(std::move(receipt));
  }));
  return answer.get_future().get();
}

inline Offset append_one(EventLog& log, event::NewEvent event) {
  std::vector<event::NewEvent> batch;
  batch.push_back(std::move(event));
  const auto receipt = append(log, std::move(batch));
  if (!receipt) {
    FAIL(receipt.error().message());
  }
  REQUIRE(receipt->places.size() == 1);
  return receipt->places[0].offset;
}

/// Appends numbered events of `type`, in batches of at most 100.
inline void append_numbered(EventLog& log, std::uint64_t from, std::uint64_t to,
                            const std::string& type = "n") {
  while (from < to) {
    std::vector<event::NewEvent> batch;
    for (; from < to && batch.size() < 100; ++from) {
      batch.push_back(numbered(from, type));
    }
    REQUIRE(append(log, std::move(batch)));
  }
}

/// A copy of an event that outlives the read.
struct Seen {
  Offset offset;
  Uuid event_id;
  Timestamp time;
  std::string type;
  std::string session;
  std::string payload;

  friend bool operator==(const Seen&, const Seen&) = default;
};

inline Seen seen(const event::EventView& view) {
  return {view.offset,
          view.event_id,
          view.time,
          std::string(view.type),
          std::string(view.session),
          std::string(view.payload)};
}

/// Reads until caught up; fails on a gap.
inline std::vector<Seen> read_all(EventLog& log, eventlog::ReadRequest request = {},
                                  const eventlog::Position& position = eventlog::Beginning{}) {
  auto reader = log.reader(position);
  REQUIRE(reader);
  std::vector<Seen> all;
  while ((*reader)->position() < log.end()) {
    const Offset before = (*reader)->position();
    const auto batch = (*reader)->read(request);
    REQUIRE(batch);
    REQUIRE_FALSE(batch->gap);
    REQUIRE((*reader)->position() > before);
    for (const event::EventView& view : batch->events) {
      all.push_back(seen(view));
    }
  }
  return all;
}

inline std::vector<Seen> read_all_back(EventLog& log, eventlog::ReadRequest request = {},
                                       const eventlog::Position& position = eventlog::End{}) {
  auto reader = log.reader(position);
  REQUIRE(reader);
  std::vector<Seen> all;
  while ((*reader)->position() > log.first()) {
    const Offset before = (*reader)->position();
    const auto batch = (*reader)->read_back(request);
    REQUIRE(batch);
    REQUIRE((*reader)->position() < before);
    for (const event::EventView& view : batch->events) {
      all.push_back(seen(view));
    }
  }
  return all;
}

}  // namespace vibes::test
