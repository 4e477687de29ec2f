// SPDX-License-Identifier: MIT
#include "eventlog/nats/follower.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/codec.hpp"
#include "eventlog/nats/failure.hpp"
#include "eventlog/nats/stream_setup.hpp"

namespace vibes::eventlog::nats {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A wait of libnats cannot be ended from outside: so long may it last. What arrives ends it.
constexpr milliseconds kSlice{100};
constexpr milliseconds kHeartbeat{2'000};
constexpr milliseconds kSilenceMax = kHeartbeat * 3;
constexpr std::size_t kMessagesMax = limits::kEngineReadAheadEvents;
constexpr std::size_t kBytesMax = limits::kBatchBytesMax;

std::optional<std::string_view> header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  if (natsMsgHeader_Get(message, name, &value) != NATS_OK || value == nullptr) {
    return std::nullopt;
  }
  return value;
}

std::string_view body_of(natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

remote::RemoteMessage to_remote(natsMsg* message, std::uint64_t sequence, std::string_view writer) {
  if (const auto asking = header_of(message, kTurnHeader)) {
    return {sequence, std::nullopt, {}, *asking != writer};
  }
  RawMessage raw;
  raw.body = body_of(message);
  raw.id = header_of(message, kIdHeader);
  raw.offset = header_of(message, kOffsetHeader);
  raw.time = header_of(message, kTimeHeader);
  raw.count = header_of(message, kCountHeader);
  remote::RemoteMessage to;
  to.sequence = sequence;
  if (auto batch = decode(raw)) {
    to.batch = *std::move(batch);
  } else {
    to.foreign = fmt::format("{}: {}", natsMsg_GetSubject(message), batch.error().context);
  }
  return to;
}

/// What the server says beside the messages of the stream: it lives, or it wants to be told that
/// we got this far.
bool is_control(natsMsg* message) {
  return header_of(message, "Status").has_value() && natsMsg_GetDataLength(message) == 0;
}

}  // namespace

Result<Follower::Messages> Follower::follow(std::uint64_t sequence, milliseconds wait,
                                            const std::stop_token& stop) {
  const Deadline until = steady_clock::now() + wait;
  const MutexLock lock(mutex_);
  std::optional<Error> trouble;
  for (;;) {
    connection_.wait_connected(until, stop);
    if (connection_.is_closing()) {
      return fail(make_error_code(Errc::closed), "follow");
    }
    if (stop.stop_requested()) {
      return Messages();
    }
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    if (connection_.is_connected()) {
      trouble.reset();
      if (!goes_on_at(sequence)) {
        if (auto subscribed = subscribe(sequence); !subscribed) {
          trouble = subscribed.error();
        }
      }
      if (!trouble) {
        auto messages = collect(std::clamp(left, milliseconds(1), kSlice));
        if (messages && !messages->empty()) {
          return messages;
        }
        if (!messages) {
          trouble = messages.error();
        }
      }
      if (trouble && trouble->code != Errc::unreachable) {
        return fail(*std::move(trouble));
      }
      if (trouble) {
        connection_.pause(std::min(until, steady_clock::now() + limits::kEngineRetryFirst), stop);
      }
    } else {
      trouble = Error{make_error_code(Errc::unreachable), options_.addresses()};
    }
    if (steady_clock::now() >= until) {
      return trouble ? Result<Messages>(fail(*std::move(trouble))) : Messages();
    }
  }
}

void Follower::close() {
  const MutexLock lock(mutex_);
  unsubscribe();
}

bool Follower::goes_on_at(std::uint64_t sequence) {
  return subscription_ != nullptr && last_ == sequence && epoch_ == connection_.epoch();
}

void Follower::unsubscribe() {
  // The server removes a consumer that nobody listens to any more.
  subscription_.reset();
}

Result<void> Follower::check_end(std::uint64_t sequence) {
  VIBES_TRY_ASSIGN(info, find_stream(connection_.jetstream(), options_));
  if (info == nullptr) {
    return fail(make_error_code(Errc::corrupt),
                fmt::format("stream {} was removed", options_.stream));
  }
  if (created_ == 0) {
    created_ = info->Created;
  }
  if (created_ != info->Created) {
    return fail(make_error_code(Errc::corrupt),
                fmt::format("stream {} was removed and made anew", options_.stream));
  }
  if (info->State.LastSeq >= sequence) {
    short_since_.reset();
    return {};
  }
  const auto now = steady_clock::now();
  short_since_ = short_since_.value_or(now);
  // A new leader may have to catch up with what it has promised.
  const bool may_pass =
      info->Config->Replicas > 1 && now - *short_since_ < limits::kEngineRequestWithin;
  return fail(make_error_code(may_pass ? Errc::unreachable : Errc::corrupt),
              fmt::format("stream {} ends at message {}, {} was there before", options_.stream,
                          info->State.LastSeq, sequence));
}

Result<void> Follower::subscribe(std::uint64_t sequence) {
  unsubscribe();
  epoch_ = connection_.epoch();
  last_ = sequence;
  delivered_ = 0;
  silence_ = milliseconds(0);
  VIBES_TRY(check_end(sequence));
  natsInbox* inbox = nullptr;
  natsStatus status = natsInbox_Create(&inbox);
  if (status == NATS_OK) {
    status = natsConnection_SubscribeSync(Out(subscription_), connection_.get(), inbox);
  }
  if (status == NATS_OK) {
    // The server stops by itself until it is told that we came this far (FlowControl).
    status = natsSubscription_SetPendingLimits(subscription_.get(), -1, -1);
  }
  jsErrCode js_error{};
  if (status == NATS_OK) {
    jsConsumerConfig config;
    jsConsumerConfig_Init(&config);
    config.DeliverSubject = inbox;
    config.DeliverPolicy = js_DeliverByStartSequence;
    config.OptStartSeq = sequence + 1;
    config.AckPolicy = js_AckNone;
    config.MaxDeliver = 1;
    config.FlowControl = true;
    config.Heartbeat = std::chrono::nanoseconds(kHeartbeat).count();
    config.MemoryStorage = true;
    config.Replicas = 1;
    jsOptions request;
    jsOptions_Init(&request);
    request.Wait = kQuestionWithin.count();
    NatsPtr<jsConsumerInfo> info;
    status = js_AddConsumer(Out(info), connection_.jetstream(), options_.stream.c_str(), &config,
                            &request, &js_error);
  }
  natsInbox_Destroy(inbox);
  if (status != NATS_OK) {
    unsubscribe();
    return request_failed("a consumer of stream " + options_.stream, status, js_error);
  }
  return {};
}

Result<Follower::Messages> Follower::collect(milliseconds slice) {
  Messages messages;
  bytes_ = 0;
  do {
    const auto step = next(messages.empty() ? slice : milliseconds(0), messages);
    if (!step || *step == Step::lost) {
      unsubscribe();
      // What came before that is in order.
      return step || !messages.empty() ? Result<Messages>(std::move(messages)) : fail(step.error());
    }
    if (*step == Step::nothing) {
      break;
    }
  } while (messages.size() < kMessagesMax && bytes_ < kBytesMax);
  return messages;
}

Result<Follower::Step> Follower::next(milliseconds slice, Messages& to) {
  NatsPtr<natsMsg> message;
  const natsStatus status =
      natsSubscription_NextMsg(Out(message), subscription_.get(), slice.count());
  if (status == NATS_TIMEOUT) {
    silence_ += slice;
    return silence_ > kSilenceMax ? Step::lost : Step::nothing;
  }
  if (status != NATS_OK) {
    return Step::lost;
  }
  silence_ = milliseconds(0);
  if (is_control(message.get())) {
    return take_control(message.get());
  }
  return take(message.get(), to);
}

Follower::Step Follower::take_control(natsMsg* message) {
  if (const char* answer = natsMsg_GetReply(message); answer != nullptr) {
    (void)natsConnection_PublishString(connection_.get(), answer, "");
  } else if (const auto stalled = header_of(message, "Nats-Consumer-Stalled")) {
    (void)natsConnection_PublishString(connection_.get(), stalled->data(), "");
  }
  const auto last = header_of(message, "Nats-Last-Consumer");
  return last && *last != std::to_string(delivered_) ? Step::lost : Step::message;
}

Result<Follower::Step> Follower::take(natsMsg* message, Messages& to) {
  NatsPtr<jsMsgMetaData> data;
  if (natsMsg_GetMetaData(Out(data), message) != NATS_OK) {
    return Step::nothing;  // somebody's message to our inbox
  }
  const std::uint64_t sequence = data->Sequence.Stream;
  if (data->Sequence.Consumer != delivered_ + 1 || sequence <= last_) {
    return Step::lost;
  }
  if (sequence != last_ + 1) {
    VIBES_TRY_ASSIGN(gone, are_gone(last_ + 1, sequence));
    if (!gone) {
      return Step::lost;
    }
  }
  ++delivered_;
  last_ = sequence;
  bytes_ += body_of(message).size();
  to.push_back(to_remote(message, sequence, writer_));
  return Step::message;
}

Result<bool> Follower::are_gone(std::uint64_t from, std::uint64_t to) {
  VIBES_TRY_ASSIGN(info, find_stream(connection_.jetstream(), options_, Deleted::listed));
  if (info == nullptr) {
    return false;
  }
  from = std::max(from, info->State.FirstSeq);
  if (from >= to) {
    return true;
  }
  const auto* first = info->State.Deleted;
  const auto gone = std::count_if(first, first + info->State.DeletedLen,
                                  [&](std::uint64_t one) { return one >= from && one < to; });
  return static_cast<std::uint64_t>(gone) == to - from;
}

}  // namespace vibes::eventlog::nats
