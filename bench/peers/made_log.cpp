// SPDX-License-Identifier: MIT
#include "peers/made_log.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <future>
#include <utility>
#include <vector>

#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

constexpr std::uint64_t kBatch = 8'000;
constexpr std::size_t kBatchesAhead = 3;

event::NewEvent made_event(std::uint64_t number, bool rare) {
  event::NewEvent event;
  event.payload = sample_event(number);
  event.type = "claude";
  event.session = "sess-1";
  if (rare) {
    event.type = kRareType;
    event.payload.replace(event.payload.find("claude"), 6, kRareType);
  }
  return event;
}

class Maker {
 public:
  explicit Maker(eventlog::EventLog& log) : log_(log) {}

  void append(std::vector<event::NewEvent> batch) {
    auto done = std::make_unique<std::promise<bool>>();
    std::promise<bool>& answer = *done;
    waiting_.push_back(std::move(done));
    if (const auto taken =
            log_.append(std::move(batch),
                        [&answer](const auto& receipt) { answer.set_value(receipt.has_value()); });
        !taken) {
      die("the log took no events: " + taken.error().message());
    }
    wait_for_all_but(kBatchesAhead);
  }
  void wait_for_all_but(std::size_t batches) {
    for (; waiting_.size() > batches; waiting_.pop_front()) {
      if (!waiting_.front()->get_future().get()) {
        die("the log did not keep events");
      }
    }
  }

 private:
  eventlog::EventLog& log_;
  std::deque<std::unique_ptr<std::promise<bool>>> waiting_;
};

}  // namespace

std::unique_ptr<eventlog::EventLog> open_made_log(const std::filesystem::path& directory) {
  eventlog::LogOptions options;
  options.free_disk_floor_bytes = 0;
  options.durability = *eventlog::parse_durability_policy("os");
  auto log = eventlog::open_log("file:" + directory.string(), options);
  if (!log) {
    die(log.error().message());
  }
  return std::move(*log);
}

void make_log(const std::filesystem::path& directory, const MadeLog& what) {
  const auto log = open_made_log(directory);
  Maker maker(*log);
  for (std::uint64_t made = 0; made < what.events && log->status().bytes < what.bytes;) {
    std::vector<event::NewEvent> batch;
    for (const std::uint64_t to = std::min(what.events, made + kBatch); made < to; ++made) {
      batch.push_back(made_event(made, what.rare_every > 0 && made % what.rare_every == 0));
    }
    maker.append(std::move(batch));
  }
  maker.wait_for_all_but(0);
  if (const auto closed = log->close(); !closed) {
    die(closed.error().message());
  }
}

void warm_up(const std::filesystem::path& directory) {
  std::vector<char> piece(1U << 20U);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::ifstream file(entry.path());
    while (entry.is_regular_file() &&
           file.read(piece.data(), static_cast<std::streamsize>(piece.size()))) {
    }
  }
}

}  // namespace vibes::bench
