// SPDX-License-Identifier: MIT
#include "eventlog/iggy/iggy_stream.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/topic_setup.hpp"

namespace vibes::eventlog::iggy {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryLast = 1s;  // at open, where somebody waits

}  // namespace

IggyStream::IggyStream(IggyOptions options)
    : options_(std::move(options)),
      session_(options_),
      follower_(options_, session_, to_string(writer_)),
      publisher_(options_, session_, follower_),
      groups_(options_, session_),
      client_(options_, session_) {}

void IggyStream::on_connection_changed(std::function<void()> listener) {
  session_.on_connection_changed(std::move(listener));
}

Result<void> IggyStream::open(std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  std::chrono::milliseconds pause = limits::kEngineRetryFirst;
  while (true) {
    auto opened = try_open();
    if (opened || opened.error().code != Errc::unreachable ||
        std::chrono::steady_clock::now() >= until) {
      return opened;
    }
    MutexLock lock(mutex_);
    const auto again = std::min(until, std::chrono::steady_clock::now() + pause);
    if (changed_.wait_until(lock, stop_.get_token(), again, [] { return false; }) ||
        stop_.stop_requested()) {
      return opened;
    }
    pause = std::min<std::chrono::milliseconds>(pause * 2, kRetryLast);
  }
}

Result<void> IggyStream::try_open() {
  const MutexLock lock(mutex_);
  const std::stop_token stop = stop_.get_token();
  VIBES_TRY_ASSIGN(topic, ensure_topic(client_, options_, options_.topic, stop));
  VIBES_TRY(check_topic(options_, topic));
  VIBES_TRY_ASSIGN(log_id, identify_topic(client_, options_, topic, stop));
  VIBES_TRY(groups_.open());
  log_id_ = log_id;
  follower_.expect(topic, durability(topic));
  return {};
}

/// Server 0.8 does not tell how it stores; what it has not written yet dies with it, not with us.
Durability IggyStream::durability(const Topic& topic) const {
  return topic.syncs_each() || options_.fsync == IggyOptions::Fsync::always ? Durability::fsync
                                                                            : Durability::os;
}

Result<remote::StreamFacts> IggyStream::facts() {
  const MutexLock lock(mutex_);
  const std::stop_token stop = stop_.get_token();
  VIBES_TRY_ASSIGN(topic, find_topic(client_, options_, options_.topic, stop));
  if (!topic) {
    return fail(Errc::other_settings, options_.url() + ": the topic was removed");
  }
  remote::StreamFacts facts{.log_id = log_id_,
                            .first_sequence = 1,
                            .last_sequence = topic->end(),
                            .durability = durability(*topic),
                            .message_bytes_max = Publisher::message_bytes_max(options_) -
                                                 kMessageBytesAround - kEventBytesAround,
                            .event_overhead_bytes = kEventBytesAround,
                            .bytes = topic->bytes};
  if (topic->messages == 0) {
    facts.first_sequence = facts.last_sequence + 1;
  } else if (topic->messages < topic->end()) {
    VIBES_TRY_ASSIGN(first,
                     poll_place(client_, options_, options_.topic, "kind=first&value=0", 1, stop));
    facts.first_sequence =
        first.messages.empty() ? facts.last_sequence + 1 : first.messages.front().offset + 1;
  }
  return facts;
}

Result<void> IggyStream::publish(const remote::RemoteBatch& batch, std::uint64_t /*last_sequence*/,
                                 Published done) {
  return publisher_.publish(batch, std::move(done));
}

Result<std::vector<remote::RemoteMessage>> IggyStream::follow(std::uint64_t sequence,
                                                              std::chrono::milliseconds wait,
                                                              std::stop_token stop) {
  return follower_.follow(sequence, wait, stop);
}

void IggyStream::shut_down() {
  stop_.request_stop();
  groups_.close();
  publisher_.close();
  session_.close();
}

}  // namespace vibes::eventlog::iggy
