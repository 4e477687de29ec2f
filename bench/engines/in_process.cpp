// SPDX-License-Identifier: MIT
#include "engines/in_process.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/limits.hpp"
#include "engines/open.hpp"
#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

using Log = std::unique_ptr<eventlog::CopyTarget>;

constexpr std::size_t kPayloadBytes = 300;
constexpr std::uint64_t kReadBack = 200'000;

event::NewEvent make_event() {
  event::NewEvent event;
  event.payload = R"({"type":"hook","session_id":"s-1","event":{"type":"pre_tool_use","x":")";
  event.payload.resize(kPayloadBytes - 3, 'x');
  event.payload += "\"}}";
  event.type = "hook";
  event.session = "s-1";
  return event;
}

Log open_engine(const EngineCase& engine, const std::filesystem::path& directory) {
  eventlog::LogOptions options;
  options.free_disk_floor_bytes = 0;
  options.durability = *eventlog::parse_durability_policy(engine.durability);
  options.state_directory = directory / "state";
  auto log = engines::open_log(engine.url, options);
  if (!log) {
    die(engine.url + ": " + log.error().message());
  }
  return *std::move(log);
}

/// One thread that appends, with a number of batches under way at most.
class Appender {
 public:
  Appender(eventlog::EventLog& log, std::size_t in_flight) : log_(log), in_flight_(in_flight) {}

  void append(const std::vector<event::NewEvent>& batch) {
    wait_for_less_than(in_flight_);
    {
      const std::lock_guard lock(mutex_);
      ++waiting_;
    }
    const double before = now_us();
    const auto taken =
        log_.append(batch, [this, before](const auto& receipt) { note(receipt, before); });
    if (!taken) {
      die("append: " + taken.error().message());
    }
  }
  void finish() { wait_for_less_than(1); }
  std::vector<double>& ack_us() { return ack_us_; }

 private:
  void wait_for_less_than(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ < count; });
  }
  void note(const Result<eventlog::AppendReceipt>& receipt, double before) {
    if (!receipt || receipt->pending) {
      die("append: " + (receipt ? "pending" : receipt.error().message()));
    }
    const std::lock_guard lock(mutex_);
    ack_us_.push_back(now_us() - before);
    --waiting_;
    changed_.notify_one();
  }

  eventlog::EventLog& log_;
  const std::size_t in_flight_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  std::vector<double> ack_us_;
};

struct Load {
  std::string what;
  std::size_t in_flight = 1;
  std::size_t batch = 1;
};

void measure_appends(Table& table, const std::string& name, eventlog::EventLog& log,
                     const Load& load, double seconds) {
  const std::vector<event::NewEvent> batch(load.batch, make_event());
  Appender appender(log, load.in_flight);
  const double start = now_us();
  while (now_us() - start < seconds * 1e6) {
    appender.append(batch);
  }
  appender.finish();
  const double took = now_us() - start;
  const auto events = static_cast<double>(appender.ack_us().size() * load.batch);
  table.add(name, {load.what + ", events", events / (took / 1e6), "1/s"});
  table.add_latency(name, load.what, appender.ack_us());
}

/// From the call that appends to the event in the hands of a reader that waits for it.
void measure_sight(Table& table, const std::string& name, eventlog::EventLog& log, double seconds) {
  auto reader = log.reader(eventlog::End{});
  if (!reader) {
    die("reader: " + reader.error().message());
  }
  Appender appender(log, 2);
  std::vector<double> us;
  const double start = now_us();
  while (now_us() - start < seconds * 1e6) {
    const double before = now_us();
    appender.append({make_event()});
    for (bool seen = false; !seen;) {
      log.signal().wait_beyond((*reader)->position(), {}, std::chrono::seconds(1));
      const auto batch = (*reader)->read({});
      if (!batch) {
        die("read: " + batch.error().message());
      }
      seen = !batch->events.empty();
    }
    us.push_back(now_us() - before);
  }
  appender.finish();
  table.add_latency(name, "append to a reader", us);
}

void measure_reading(Table& table, const std::string& name, eventlog::EventLog& log) {
  {
    const std::vector<event::NewEvent> batch(1'000, make_event());
    Appender appender(log, 4);
    for (std::uint64_t events = 0; events < kReadBack; events += batch.size()) {
      appender.append(batch);
    }
    appender.finish();
  }
  auto reader = log.reader(Offset(log.end().value() - kReadBack));
  if (!reader) {
    die("reader: " + reader.error().message());
  }
  const double start = now_us();
  while ((*reader)->position() < log.end()) {
    if (const auto batch = (*reader)->read({}); !batch) {
      die("read: " + batch.error().message());
    }
  }
  table.add(name, {"read 200,000 back, events", kReadBack / ((now_us() - start) / 1e6), "1/s"});
}

}  // namespace

void measure_in_process(Table& table, const EngineCase& engine,
                        const std::filesystem::path& directory, double seconds) {
  const Log log = open_engine(engine, directory);
  measure_appends(table, engine.name, *log, {"one waiting", 1, 1}, seconds);
  measure_appends(table, engine.name, *log, {"64 under way", 64, 1}, seconds);
  measure_appends(table, engine.name, *log, {"batches of 100, 8 under way", 8, 100}, seconds);
  measure_sight(table, engine.name, *log, seconds);
  measure_reading(table, engine.name, *log);
  if (auto closed = log->close(); !closed) {
    die("close: " + closed.error().message());
  }
}

}  // namespace vibes::bench
