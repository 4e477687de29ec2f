// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/mutex.hpp"
#include "event/check.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/nats_stream.hpp"
#include "support/catch.hpp"

namespace vibes::test {

inline constexpr std::chrono::seconds kPatience{60};  // against a hang; nothing waits that long

inline eventlog::remote::RemoteBatch batch_of(Offset first, std::vector<std::string> payloads) {
  eventlog::remote::RemoteBatch batch{first, Timestamp{1'700'000'000'123'456}, {}};
  for (const std::string& payload : payloads) {
    auto event = event::check(payload);
    REQUIRE(event);
    event->event_id = random_uuid();
    batch.events.push_back(*std::move(event));
  }
  return batch;
}

inline std::string payload_of(std::uint64_t number) {
  return R"({"type":"test.event", "n": )" + std::to_string(number) + "}";
}

/// What became of publishes, by the number they were given. Thread-safe: no assertion of Catch.
class Answers {
 public:
  eventlog::remote::RemoteStream::Published expect(std::uint64_t number) {
    return [this, number](Result<std::uint64_t> outcome) {
      const MutexLock lock(mutex_);
      const bool first = outcomes_.emplace(number, std::move(outcome)).second;
      twice_ = twice_ || !first;
      changed_.notify_all();
    };
  }
  /// Waits for `count` of them. Sequences and errors by number.
  std::map<std::uint64_t, Result<std::uint64_t>> wait_for(std::size_t count) {
    MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (outcomes_.size() < count) {
      VIBES_ASSERT(changed_.wait_until(lock, until) == std::cv_status::no_timeout);
    }
    VIBES_ASSERT(!twice_);
    return outcomes_;
  }
  std::size_t count() {
    const MutexLock lock(mutex_);
    return outcomes_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<std::uint64_t, Result<std::uint64_t>> outcomes_ VIBES_GUARDED_BY(mutex_);
  bool twice_ VIBES_GUARDED_BY(mutex_) = false;
};

inline std::unique_ptr<eventlog::nats::NatsStream> stream_at(std::string_view url) {
  auto options = eventlog::nats::parse_nats_url(url);
  REQUIRE(options);
  return std::make_unique<eventlog::nats::NatsStream>(*std::move(options));
}

inline std::unique_ptr<eventlog::nats::NatsStream> open_stream(std::string_view url) {
  auto stream = stream_at(url);
  const auto opened = stream->open(kPatience);
  CAPTURE(opened ? "" : opened.error().message());
  REQUIRE(opened);
  return stream;
}

/// Publishes one and waits for its answer.
inline Result<std::uint64_t> publish(eventlog::nats::NatsStream& stream,
                                     const eventlog::remote::RemoteBatch& batch,
                                     std::uint64_t last_sequence) {
  Answers answers;
  VIBES_TRY(stream.publish(batch, last_sequence, answers.expect(0)));
  return answers.wait_for(1).at(0);
}

/// Everything behind `sequence`, `count` of them. Goes on while the engine is away.
inline std::vector<eventlog::remote::RemoteMessage> read(eventlog::nats::NatsStream& stream,
                                                         std::uint64_t sequence,
                                                         std::size_t count) {
  std::vector<eventlog::remote::RemoteMessage> all;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (all.size() < count) {
    VIBES_ASSERT(std::chrono::steady_clock::now() < until);
    auto some = stream.follow(sequence, std::chrono::seconds(1), {});
    if (!some) {
      VIBES_ASSERT(some.error().code == eventlog::Errc::unreachable);
      continue;
    }
    for (auto& message : *some) {
      VIBES_ASSERT(message.sequence > sequence);
      sequence = message.sequence;
      all.push_back(std::move(message));
    }
  }
  return all;
}

}  // namespace vibes::test
