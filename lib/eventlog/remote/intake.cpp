// SPDX-License-Identifier: MIT
#include "eventlog/remote/intake.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAgain = 100ms;
constexpr auto kFullPause = 1s;
constexpr std::size_t kDeliveriesMax = 256;
/// With less than this on the disk, what arrives waits in memory for the rest to be handed over.
constexpr std::size_t kHoldBelowBytes = 1 * limits::kMiB;

/// Whether the stream will never take it.
bool is_final(const Error& error) {
  return error.code == Errc::event_id_conflict || error.code == Errc::batch_too_large ||
         error.code == Errc::other_settings;
}

}  // namespace

Intake::Intake(RemoteStream& stream, Sequencer& sequencer, Sequencer::Acks acks,
               std::unique_ptr<Outbox> outbox, std::chrono::milliseconds patience)
    : stream_(stream),
      sequencer_(sequencer),
      acks_(acks),
      outbox_(std::move(outbox)),
      patience_(patience) {
  if (outbox_ && !outbox_->is_read()) {
    way_ = Way::outbox;
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Intake::~Intake() { close(0ms); }

Result<void> Intake::take(RemoteAppend append, AppendDone done) {
  const MutexLock lock(mutex_);
  if (closing_) {
    return fail(Errc::closed, stream_.url());
  }
  if (trouble_ && way_ != Way::stream) {
    return fail(*trouble_);
  }
  switch (way_) {
    case Way::stream:
      return sequencer_.take(std::move(append), std::move(done));
    case Way::refusing:
      return fail(Errc::unreachable, stream_.url());
    case Way::held:
      if (held_bytes_ > 0 && held_bytes_ + append.bytes > limits::kAppendQueueBytesMax) {
        return fail(Errc::queue_full, fmt::format("{} bytes are waiting", held_bytes_));
      }
      held_bytes_ += append.bytes;
      append.ticket = acks_.clients.push(std::move(done));
      held_.push_back(std::move(append));
      return {};
    case Way::outbox:
      append.ticket = acks_.clients.push(std::move(done));
      keep(std::move(append));
      return {};
  }
  return {};
}

void Intake::keep(RemoteAppend append) {
  for (event::NewEvent& event : append.events) {
    if (!event.event_id) {
      event.event_id = ids_.next(system_clock().now());
    }
  }
  const AckQueue::Ticket ticket = append.ticket;
  const auto kept = [this, ticket](Result<AppendReceipt> receipt) {
    acks_.clients.resolve(ticket, std::move(receipt));
    acks_.clients.flush();
    changed_.notify_all();
  };
  if (auto taken = outbox_->keep(append.events, append.recorded, kept); !taken) {
    acks_.clients.resolve(ticket, fail(std::move(taken).error()));
    changed_.notify_all();  // our thread hands it out
  }
}

void Intake::note_connection() { changed_.notify_all(); }

void Intake::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool progress = watch();
    if (outbox_ && !trouble() && stream_.is_connected()) {
      const auto delivered = deliver();
      if (!delivered) {
        fail_outbox(delivered.error());
      }
      progress = progress || (delivered && *delivered);
    }
    acks_.clients.flush();
    MutexLock lock(mutex_);
    if (!progress && !stop.stop_requested()) {
      changed_.wait_for(
          lock, away_since_ && patience_ > 0ms ? std::min(kLookAgain, patience_) : kLookAgain);
    }
  }
}

/// Notices how long the engine has been away. True: something has changed.
bool Intake::watch() {
  const MutexLock lock(mutex_);
  if (stream_.is_connected()) {
    away_since_.reset();
    return watch_answers();
  }
  stuck_ = false;
  const auto now = Clockwork::now();
  if (!away_since_) {
    away_since_ = now;
  }
  if (now - *away_since_ < patience_ || (way_ != Way::stream && way_ != Way::held)) {
    return false;
  }
  go_away();
  return true;
}

/// An engine that is there and answers nothing is as good as away, once a request had its time.
bool Intake::watch_answers() {
  const auto now = Clockwork::now();
  const Sequencer::Answers answers = sequencer_.answers();
  if (!answers.owed || answers.given != answers_) {
    answers_ = answers.given;
    answered_at_ = now;
    stuck_ = false;
  }
  if (way_ == Way::refusing && !stuck_) {
    way_ = Way::stream;
  }
  if (now - answered_at_ < patience_ + limits::kEngineRequestWithin ||
      (way_ != Way::stream && way_ != Way::held)) {
    return false;
  }
  stuck_ = true;
  go_away();
  return true;
}

/// What waits for the engine is kept or refused, in its order.
void Intake::go_away() {
  std::deque<RemoteAppend> appends = sequencer_.take_back();
  std::ranges::move(held_, std::back_inserter(appends));
  held_.clear();
  held_bytes_ = 0;
  way_ = outbox_ ? Way::outbox : Way::refusing;
  for (RemoteAppend& append : appends) {
    if (outbox_) {
      keep(std::move(append));
    } else {
      acks_.clients.resolve(
          append.ticket,
          fail(append.offered ? Errc::indeterminate : Errc::unreachable, stream_.url()));
    }
  }
}

/// True: something was done, and there may be more to do.
Result<bool> Intake::deliver() {
  VIBES_TRY_ASSIGN(settled, settle());
  VIBES_TRY_ASSIGN(handed_over, hand_over());
  return open_way() || settled || handed_over;
}

Result<bool> Intake::hand_over() {
  bool progress = false;
  while (sequencer_.queued_bytes() < limits::kEngineInFlightBytes && may_hand_over()) {
    VIBES_TRY_ASSIGN(batch, outbox_->next());
    if (!batch) {
      break;
    }
    progress = true;
    const auto delivery = std::make_shared<Delivery>();
    delivery->batch = *std::move(batch);
    RemoteAppend append{.events = delivery->batch.events,
                        .source = RemoteAppend::Source::outbox,
                        .ticket = 0,
                        .bytes = message_bytes(delivery->batch.events, 0),
                        .recorded = delivery->batch.recorded};
    {
      const MutexLock lock(mutex_);
      deliveries_.push_back(delivery);
    }
    append.ticket = acks_.deliveries.push([this, delivery](Result<AppendReceipt> receipt) {
      const MutexLock lock(mutex_);
      delivery->answer.emplace(std::move(receipt));
      changed_.notify_all();
    });
    if (append.events.empty()) {
      acks_.deliveries.resolve(append.ticket, AppendReceipt{});
      acks_.deliveries.flush();
    } else {
      sequencer_.put(std::move(append));
    }
  }
  return progress;
}

bool Intake::may_hand_over() const {
  const MutexLock lock(mutex_);
  return deliveries_.size() < kDeliveriesMax && Clockwork::now() >= full_until_;
}

Result<bool> Intake::settle() {
  std::size_t batches = 0;
  Offset end;
  std::shared_ptr<Delivery> refused;
  {
    const MutexLock lock(mutex_);
    for (; !deliveries_.empty() && deliveries_.front()->answer && !refused;
         deliveries_.pop_front()) {
      const Delivery& front = *deliveries_.front();
      if (!*front.answer && !is_final(front.answer->error())) {
        break;
      }
      refused = *front.answer ? nullptr : deliveries_.front();
      end = front.batch.end;
      ++batches;
    }
  }
  if (refused) {
    VIBES_TRY(outbox_->put_aside(refused->batch, refused->answer->error()));
  }
  if (batches > 0) {
    VIBES_TRY(outbox_->delivered(batches, end));
    return true;
  }
  return begin_again();
}

/// The stream does not take the oldest one just now: everything behind it is offered again, once
/// all of it was answered. What did get into the stream is known there.
bool Intake::begin_again() {
  {
    const MutexLock lock(mutex_);
    if (deliveries_.empty() ||
        std::ranges::any_of(deliveries_, [](const auto& delivery) { return !delivery->answer; })) {
      return false;
    }
    deliveries_.clear();
    full_until_ = Clockwork::now() + kFullPause;
  }
  outbox_->rewind();
  return true;
}

/// True: appends go straight into the stream again.
bool Intake::open_way() {
  const MutexLock lock(mutex_);
  if (stuck_) {
    return false;
  }
  if (way_ == Way::outbox && outbox_->load().bytes < kHoldBelowBytes) {
    way_ = Way::held;
  }
  if (way_ != Way::held || !outbox_->is_read() || Clockwork::now() < full_until_) {
    return false;
  }
  for (RemoteAppend& append : held_) {
    sequencer_.put(std::move(append));
  }
  held_.clear();
  held_bytes_ = 0;
  way_ = Way::stream;
  return true;
}

/// The local disk fails: what is in the outbox stays there until the next start.
void Intake::fail_outbox(const Error& error) {
  const MutexLock lock(mutex_);
  trouble_ = error;
  for (const RemoteAppend& append : held_) {
    acks_.clients.resolve(append.ticket, fail(error));
  }
  held_.clear();
  held_bytes_ = 0;
}

void Intake::close(std::chrono::milliseconds within) {
  {
    const MutexLock lock(mutex_);
    if (closing_) {
      return;
    }
    closing_ = true;
  }
  sequencer_.wait_until_idle(stream_.is_connected() ? within : 0ms);
  thread_.request_stop();
  changed_.notify_all();
  thread_.join();
  {
    const MutexLock lock(mutex_);
    go_away();
  }
  sequencer_.close();
  if (outbox_) {
    (void)outbox_->close();
  }
  acks_.clients.flush();
}

Outbox::Load Intake::waiting() const { return outbox_ ? outbox_->load() : Outbox::Load{}; }

bool Intake::is_stuck() const {
  const MutexLock lock(mutex_);
  return stuck_;
}

std::optional<Error> Intake::trouble() const {
  const MutexLock lock(mutex_);
  return trouble_;
}

}  // namespace vibes::eventlog::remote
