// SPDX-License-Identifier: MIT
#include "eventlog/iggy/publisher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/base64.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/codec.hpp"
#include "eventlog/iggy/wire.hpp"

namespace vibes::eventlog::iggy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMessagesPerRequest = 256;
constexpr auto kBusyPause = 100ms;
constexpr auto kBusyPauseMax = 5s;

bool is_busy(const HttpAnswer& answer) {
  return (answer.status == kUnavailable || answer.status == kTooManyRequests) &&
         parse_error(answer.body).id != kTransientNotCommitted;
}

/// What a refusal means for the batches of a request.
std::error_code code_of(const HttpAnswer& answer) {
  if (answer.status == kContentTooLarge || answer.status == kUnprocessable) {
    return Errc::batch_too_large;
  }
  if (is_busy(answer) || answer.status == kNotFound) {
    return Errc::unreachable;  // whether the topic was removed is for the follower to tell
  }
  if (answer.status >= kServerError) {
    return Errc::indeterminate;
  }
  return answer.status == kForbidden ? Errc::unauthorized : Errc::other_settings;
}

}  // namespace

Publisher::Publisher(const IggyOptions& options, Session& session, Follower& follower)
    : options_(options), follower_(follower), client_(options, session) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

std::size_t Publisher::message_bytes_max(const IggyOptions& options) {
  constexpr std::size_t kAround = kSendBytes + kSendMessageBytes + 4;
  return (options.request_bytes_max - kAround) / 4 * 3;
}

Result<void> Publisher::publish(const remote::RemoteBatch& batch,
                                remote::RemoteStream::Published done) {
  const std::string payload = encode(batch);
  if (payload.size() > message_bytes_max(options_)) {
    return fail(Errc::batch_too_large,
                fmt::format("{} bytes; {} takes messages of at most {}", payload.size(),
                            options_.url(), message_bytes_max(options_)));
  }
  Offer offer{event::encode_base64(payload), std::move(done)};
  const MutexLock lock(mutex_);
  if (closed_) {
    return fail(Errc::closed, options_.url());
  }
  queue_.push_back(std::move(offer));
  changed_.notify_all();
  return {};
}

void Publisher::send_note(std::string_view payload) {
  Offer offer{event::encode_base64(payload), [](const auto& /*sequence*/) {}};
  const MutexLock lock(mutex_);
  if (!closed_) {
    queue_.push_back(std::move(offer));
    changed_.notify_all();
  }
}

void Publisher::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (Offers offers = next(stop); !offers.empty()) {
      send(std::move(offers), stop);
    }
  }
}

/// As many as fit into one request; none when it is time to end.
Publisher::Offers Publisher::next(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  const auto has_work = [this]() VIBES_REQUIRES(mutex_) { return !queue_.empty(); };
  changed_.wait(lock, stop, has_work);
  Offers offers;
  std::size_t bytes = kSendBytes;
  while (!stop.stop_requested() && !queue_.empty() && offers.size() < kMessagesPerRequest) {
    bytes += queue_.front().payload.size() + kSendMessageBytes;
    if (!offers.empty() && bytes > options_.request_bytes_max) {
      break;
    }
    offers.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return offers;
}

void Publisher::send(Offers offers, const std::stop_token& stop) {
  const auto posted = post(offers, stop);
  if (!posted) {
    if (posted.error().code == Errc::closed) {
      put_back(std::move(offers));
    } else {
      fail_with_rest(offers, posted.error());
    }
    return;
  }
  if (posted->status == kContentTooLarge && offers.size() > 1) {
    // A server that takes less than we were told: one by one, as long as that works.
    for (Offer& offer : offers) {
      Offers one;
      one.push_back(std::move(offer));
      send(std::move(one), stop);
    }
    return;
  }
  answer(offers, *posted);
}

/// Waits while the server is busy, but not for ever.
Result<HttpAnswer> Publisher::post(const Offers& offers, const std::stop_token& stop) {
  std::vector<std::string> payloads;
  payloads.reserve(offers.size());
  for (const Offer& offer : offers) {
    payloads.push_back(offer.payload);
  }
  const HttpRequest request{.method = HttpRequest::Method::post,
                            .path = options_.topic_path(options_.topic) + "/messages",
                            .body = send_body(payloads)};
  const auto until = std::chrono::steady_clock::now() + limits::kEngineRequestWithin;
  while (true) {
    auto answer = client_.call(request, stop);
    if (!answer || !is_busy(*answer) || std::chrono::steady_clock::now() >= until) {
      return answer;
    }
    const std::chrono::milliseconds asked =
        std::min<std::chrono::milliseconds>(answer->retry_after, kBusyPauseMax);
    MutexLock lock(mutex_);
    changed_.wait_for(lock, stop, std::max<std::chrono::milliseconds>(asked, kBusyPause),
                      [] { return false; });
  }
}

void Publisher::answer(Offers& offers, const HttpAnswer& answer) {
  if (answer.status != kCreated && answer.status != kOk) {
    fail_with_rest(offers,
                   {code_of(answer), fmt::format("{}: {}", options_.url(), describe(answer))});
    return;
  }
  follower_.wake();
  const auto base = parse_sent(answer.body);
  std::uint64_t sequence = base.value_or(0);
  for (Offer& offer : offers) {
    offer.done(base ? ++sequence : 0);
  }
}

/// For close(), which answers everything.
void Publisher::put_back(Offers offers) {
  const MutexLock lock(mutex_);
  queue_.insert(queue_.begin(), std::make_move_iterator(offers.begin()),
                std::make_move_iterator(offers.end()));
}

void Publisher::fail_with_rest(Offers& offers, const Error& error) {
  std::deque<Offer> rest;
  {
    const MutexLock lock(mutex_);
    rest = std::exchange(queue_, {});
  }
  for (Offer& offer : offers) {
    offer.done(fail(error));
  }
  // These never left.
  const Error behind{Errc::unreachable, error.context};
  for (Offer& offer : rest) {
    offer.done(fail(behind));
  }
}

void Publisher::close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
  std::deque<Offer> rest;
  {
    const MutexLock lock(mutex_);
    rest = std::exchange(queue_, {});
  }
  for (Offer& offer : rest) {
    offer.done(fail(Errc::indeterminate, options_.url()));
  }
}

}  // namespace vibes::eventlog::iggy
