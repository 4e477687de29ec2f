// SPDX-License-Identifier: MIT
#include "sim_log.hpp"

#include <cstdlib>
#include <future>
#include <utility>

#include "eventlog/file/layout.hpp"

namespace vibes::test {

using eventlog::AppendReceipt;

void SimLog::kill() {
  auto state = disk_->state();
  log_.reset();  // its clean stop goes to a disk that is thrown away
  disk_ = std::make_unique<io::SimDisk>(std::move(state));
  options_.file_system = disk_.get();
}

void SimLog::crash(const std::function<bool(std::size_t)>& survives) {
  auto state = disk_->state().crashed(survives);
  log_.reset();
  disk_ = std::make_unique<io::SimDisk>(std::move(state));
  options_.file_system = disk_.get();
}

Result<AppendReceipt> SimLog::append(const std::vector<std::size_t>& payload_bytes) {
  std::vector<event::NewEvent> batch;
  for (const std::size_t bytes : payload_bytes) {
    const std::size_t number = attempts_.events.size();
    event::NewEvent event;
    event.payload = std::to_string(number) + ":";
    event.payload.resize(std::max(bytes, event.payload.size()),
                         static_cast<char>('a' + number % 26));
    event.type = number % 3 == 0 ? "note" : "hook";
    event.session = number % 2 == 0 ? "" : "s1";
    event.event_id = Uuid{};
    const std::uint64_t hashed = (number + 1) * 0x9e3779b97f4a7c15ULL;
    std::memcpy(event.event_id->bytes.data(), &hashed, sizeof hashed);
    attempts_.events.push_back({*event.event_id, event.payload});
    batch.push_back(std::move(event));
  }
  return append_as(std::move(batch), [this] {
    attempts_.acked = attempts_.events.size();
    if (on_ack_) {
      on_ack_();
    }
  });
}

Result<AppendReceipt> SimLog::append_as(std::vector<event::NewEvent> batch,
                                        std::function<void()> acked) {
  auto promise = std::make_shared<std::promise<Result<AppendReceipt>>>();
  auto answer = promise->get_future();
  VIBES_TRY(log_->append(std::move(batch),
                         [promise, acked = std::move(acked)](Result<AppendReceipt> result) {
                           if (result && acked) {
                             acked();
                           }
                           promise->set_value(std::move(result));
                         }));
  return answer.get();
}

Result<void> SimLog::commit(std::uint64_t next) {
  attempts_.commit_attempted = next;
  VIBES_TRY(log_->group_offsets().commit("g", Offset(next)));
  attempts_.commit_acked = next;
  if (on_ack_) {
    on_ack_();
  }
  return {};
}

void SimLog::flip_bit(const std::string& path, std::uint64_t bit) {
  auto bytes = disk_->contents(path);
  bytes.at(bit / 8) ^= static_cast<std::byte>(1U << (bit % 8));
  disk_->set_contents(path, std::move(bytes));
}

void SimLog::truncate_file(const std::string& path, std::uint64_t size) {
  auto bytes = disk_->contents(path);
  bytes.resize(size);
  disk_->set_contents(path, std::move(bytes));
}

std::string SimLog::segment_path(std::uint64_t first) const {
  return eventlog::file::Layout(kSimDirectory).segment(Offset(first));
}

std::string check_log(eventlog::EventLog& log, const Attempts& attempts, std::size_t& count) {
  count = log.end().value();
  if (count < attempts.acked) {
    return "lost: " + std::to_string(attempts.acked) + " acknowledged, " + std::to_string(count) +
           " found";
  }
  if (count > attempts.events.size()) {
    return "more events than were ever sent";
  }
  std::size_t next = log.first().value();
  if (next > attempts.dropped_at_most) {
    return "the log begins at " + std::to_string(next);
  }
  auto reader = log.reader(log.first());
  if (!reader) {
    return reader.error().message();
  }
  while (next < count) {
    auto batch = (*reader)->read({});
    if (!batch) {
      return batch.error().message();
    }
    if (batch->gap || batch->events.empty()) {
      return "the reader stops at " + std::to_string(next);
    }
    for (const auto& event : batch->events) {
      const auto& expected = attempts.events[next];
      if (event.offset != Offset(next) || event.event_id != expected.event_id ||
          event.payload != expected.payload) {
        return "event " + std::to_string(next) + " is not the one that was sent";
      }
      ++next;
    }
  }
  const auto committed = log.group_offsets().committed("g").value_or(Offset{}).value();
  if (committed < attempts.commit_acked || committed > attempts.commit_attempted) {
    return "the group is at " + std::to_string(committed) + ", not between " +
           std::to_string(attempts.commit_acked) + " and " +
           std::to_string(attempts.commit_attempted);
  }
  return {};
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): tests read it at start
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace vibes::test
