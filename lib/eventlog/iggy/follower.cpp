// SPDX-License-Identifier: MIT
#include "eventlog/iggy/follower.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/codec.hpp"
#include "eventlog/iggy/topic_setup.hpp"

namespace vibes::eventlog::iggy {
namespace {

using namespace std::chrono_literals;

constexpr auto kPauseFirst = 1ms;
constexpr auto kPauseLast = 50ms;
constexpr auto kLookAgain = 1s;
constexpr std::size_t kPageBytesLow = 1 * limits::kMiB;  // an answer; below it we ask for more
constexpr std::size_t kPageBytesHigh = 4 * limits::kMiB;
constexpr std::size_t kPageBytesMax = 32 * limits::kMiB;
constexpr std::size_t kMessageAnswerBytes = 96 * limits::kMiB;  // one message of any size

std::int64_t in_us(std::chrono::milliseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

void Follower::expect(const Topic& topic, Durability durability) {
  topic_ = topic;
  durability_ = durability;
}

void Follower::wake() {
  const MutexLock lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

Result<std::vector<remote::RemoteMessage>> Follower::follow(std::uint64_t sequence,
                                                            std::chrono::milliseconds wait,
                                                            const std::stop_token& stop) {
  const auto until = Clockwork::now() + wait;
  while (!stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clockwork::now());
    VIBES_TRY_ASSIGN(page, poll(sequence, std::max(left, 0ms), stop));
    VIBES_TRY(look_around(sequence, page, stop));
    if (!page.polled.messages.empty()) {
      pause_ = kPauseFirst;
      return take(std::move(page));
    }
    if (Clockwork::now() >= until) {
      break;
    }
    if (!server_waited_ && !page.was_too_large) {
      pause(until, stop);
    }
  }
  return std::vector<remote::RemoteMessage>();
}

/// Whether the server has what it had, after a new connection and, where a poll does not tell the
/// end, now and then.
Result<void> Follower::look_around(std::uint64_t sequence, Page& page,
                                   const std::stop_token& stop) {
  const bool is_new = client_.connects() != connects_;
  const bool idle = page.polled.messages.empty() && !page.was_too_large;
  const bool is_due =
      idle && page.polled.current_offset + 1 != sequence && Clockwork::now() >= look_again_at_;
  if ((!is_new && !is_due) || stop.stop_requested()) {
    return {};
  }
  look_again_at_ = Clockwork::now() + kLookAgain;
  const std::uint64_t connects = client_.connects();
  VIBES_TRY(check_last_seen(stop));
  VIBES_TRY_ASSIGN(end, check_nothing_lost(sequence, stop));
  if (idle && end > sequence) {
    VIBES_TRY_ASSIGN(behind, look_behind_gap(sequence, stop));
    page.polled = std::move(behind);
  }
  connects_ = connects;
  return {};
}

void Follower::pause(Clockwork::time_point until, const std::stop_token& stop) {
  MutexLock lock(mutex_);
  const auto woken = [this]() VIBES_REQUIRES(mutex_) { return wakes_ != wakes_seen_; };
  const bool was_woken =
      changed_.wait_until(lock, stop, std::min(until, Clockwork::now() + pause_), woken);
  wakes_seen_ = wakes_;
  pause_ = was_woken ? std::chrono::milliseconds(kPauseFirst)
                     : std::min<std::chrono::milliseconds>(pause_ * 2, kPauseLast);
}

/// A page of messages behind `sequence`; an empty one when it was stopped.
Result<Follower::Page> Follower::poll(std::uint64_t sequence, std::chrono::milliseconds wait,
                                      const std::stop_token& stop) {
  auto answer = ask(sequence, wait, stop);
  if (!answer && answer.error().code == Errc::closed) {
    return Page{};
  }
  if (!answer && answer.error().code == Errc::batch_too_large) {
    return ask_for_less(sequence, "it is larger than any of ours");
  }
  if (!answer) {
    return fail(std::move(answer).error());
  }
  if (answer->status == kNotFound) {
    return fail(Errc::other_settings, options_.url() + ": the topic was removed");
  }
  if (answer->status != kOk && is_damage(parse_error(answer->body))) {
    return ask_for_less(sequence, "the server cannot read it: " + describe(*answer));
  }
  if (answer->status != kOk) {
    return fail(answer->status == kForbidden ? Errc::unauthorized : Errc::other_settings,
                fmt::format("{}: cannot read: {}", options_.url(), describe(*answer)));
  }
  VIBES_TRY_ASSIGN(polled, parse_polled(answer->body));
  adapt(polled.messages.size(), answer->body.size());
  Page page;
  page.polled = std::move(polled);
  return page;
}

/// A page failed for one of its messages. Alone it is none of ours, for that reason; the others can
/// still be had.
Follower::Page Follower::ask_for_less(std::uint64_t sequence, std::string why) {
  Page page;
  if (count_ == 1) {
    page.polled.messages.emplace_back().offset = sequence;
    page.foreign = std::move(why);
  } else {
    page.was_too_large = true;
    count_ = 1;
  }
  return page;
}

Result<HttpAnswer> Follower::ask(std::uint64_t sequence, std::chrono::milliseconds wait,
                                 const std::stop_token& stop) {
  const std::string path = options_.topic_path(options_.topic) + "/messages";
  const std::string query =
      fmt::format("?consumer_id=1&partition_id=0&kind=offset&value={}&count={}&auto_commit=false",
                  sequence, count_);
  HttpRequest request{.path = path + query,
                      .answer_bytes_max = count_ == 1 ? kMessageAnswerBytes : kPageBytesMax};
  if (long_poll_ == LongPoll::missing) {
    return client_.ask(request, stop);
  }
  HttpRequest waiting = request;
  waiting.path = fmt::format(
      "{}/deferred{}&wait_us={}&min_count=1&max_bytes={}"
      "&request_timeout_us={}",
      path, query, in_us(wait), kPageBytesHigh, in_us(wait + 2s));
  waiting.within += wait;
  auto answer = client_.call(waiting, stop);
  if (!answer) {
    return answer.error().code == Errc::indeterminate
               ? fail(Errc::unreachable, answer.error().context)
               : std::move(answer);
  }
  server_waited_ = answer->status == kOk;
  if (server_waited_) {
    return answer;
  }
  if (answer->status < kServerError && answer->status != kTooManyRequests) {
    long_poll_ = LongPoll::missing;
  }  // else it has no room for another one that waits
  return client_.ask(request, stop);
}

/// The server puts any number of messages of any size into an answer, and builds it in memory.
void Follower::adapt(std::size_t messages, std::size_t bytes) {
  if (bytes > kPageBytesHigh) {
    count_ = std::max<std::size_t>(1, count_ / 2);
  } else if (bytes < kPageBytesLow && messages == count_) {
    count_ = std::min(count_ * 2, limits::kEngineReadAheadEvents);
  }
}

std::vector<remote::RemoteMessage> Follower::take(Page page) {
  const PolledMessage& last = page.polled.messages.back();
  seen_.reset();
  if (!last.id.empty()) {
    seen_ = Seen{last.offset + 1, last.id, last.origin_timestamp};
  }
  std::vector<remote::RemoteMessage> messages;
  messages.reserve(page.polled.messages.size());
  for (const PolledMessage& message : page.polled.messages) {
    remote::RemoteMessage taken;
    taken.sequence = message.offset + 1;
    const auto turn = decode_turn(message.payload);
    if (auto batch = decode(message.payload)) {
      taken.batch = *std::move(batch);
    } else {
      taken.foreign = page.foreign.empty() ? batch.error().context : page.foreign;
      taken.asks_for_turn = turn && *turn != writer_;
    }
    messages.push_back(std::move(taken));
  }
  return messages;
}

/// Where messages were deleted the server may find nothing at the place of the first of them.
Result<Polled> Follower::look_behind_gap(std::uint64_t sequence, const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(
      first, poll_place(client_, options_, options_.topic, "kind=first&value=0", count_, stop));
  std::erase_if(first.messages,
                [sequence](const PolledMessage& message) { return message.offset < sequence; });
  return first;
}

Unexpected Follower::lost(std::uint64_t first, std::uint64_t last) const {
  return fail(Errc::other_settings,
              fmt::format("{}: the stream lost messages {} to {} that were acknowledged as {}; "
                          "move the copy away to take its word",
                          options_.url(), first, last, to_string(durability_)));
}

/// Where the topic ends. It never ends before what was seen.
Result<std::uint64_t> Follower::check_nothing_lost(std::uint64_t sequence,
                                                   const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(topic, find_topic(client_, options_, options_.topic, stop));
  if (!topic || (topic->has_options && topic->created_at != topic_.created_at)) {
    return fail(Errc::other_settings, options_.url() + ": the topic was removed");
  }
  const std::uint64_t seen = std::max(sequence, seen_ ? seen_->sequence : 0);
  if (topic->end() < seen) {
    return lost(topic->end() + 1, seen);
  }
  return topic->end();
}

/// The server may have come back with less than it had, and other messages at the same places.
Result<void> Follower::check_last_seen(const std::stop_token& stop) {
  if (!seen_) {
    return {};
  }
  auto polled = poll_place(client_, options_, options_.topic,
                           fmt::format("kind=offset&value={}", seen_->sequence - 1), 1, stop);
  if (!polled && polled.error().code == Errc::corrupt) {
    return {};  // it is there
  }
  VIBES_TRY_ASSIGN(found, std::move(polled));
  if (found.messages.empty() || found.messages.front().offset != seen_->sequence - 1) {
    return {};  // deleted, or lost: check_nothing_lost() knows
  }
  const PolledMessage& message = found.messages.front();
  if (message.id != seen_->id || message.origin_timestamp != seen_->origin_timestamp) {
    VIBES_TRY_ASSIGN(first,
                     poll_place(client_, options_, options_.topic, "kind=first&value=0", 1, stop));
    const std::uint64_t from = first.messages.empty() ? 1 : first.messages.front().offset + 1;
    return lost(from, seen_->sequence);
  }
  return {};
}

}  // namespace vibes::eventlog::iggy
