// SPDX-License-Identifier: MIT
#include "eventlog/remote/sequencer.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto kWayGivenFor = 20ms;
constexpr unsigned kLossesBorne = 2;  // in a row, then a writer asks for its turn
constexpr auto kLookAgain = 100ms;    // for what nobody tells us of
// With this many messages under way an engine has something to do: what comes then is joined, until
// the next answer, but not for longer than this.
constexpr std::uint64_t kMessagesUnanswered = 8;
constexpr auto kJoinedFor = 1ms;
constexpr std::size_t kJoinedBytesMax = 256 * limits::kKiB;
constexpr std::size_t kJoinedEventsMax = 1'000;

/// Whether the batch may be in the stream, or come into it, or has to be offered again.
bool is_open_question(const Error& error) {
  return error.code == Errc::not_next || error.code == Errc::indeterminate ||
         error.code == Errc::unreachable;
}

}  // namespace

Sequencer::Sequencer(RemoteStream& stream, Replica& replica, Acks acks, Options options)
    : stream_(stream),
      replica_(replica),
      acks_(acks),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock()),
      applied_(replica.position().sequence) {
  {
    const MutexLock lock(mutex_);
    last_time_ = replica_.last_time();
    // A millisecond on, so that the ids made now sort behind those made before.
    new_from_ = Timestamp{last_time_.unix_us + 1'000};
    begin_anew();
  }
  thread_ = std::jthread([this] { run(); });
}

Sequencer::~Sequencer() { close(); }

Result<void> Sequencer::take(RemoteAppend append, AppendDone done) {
  const MutexLock lock(mutex_);
  if (failed_) {
    return fail(Errc::failed, failed_->message());
  }
  if (closing_) {
    return fail(Errc::closed, stream_.url());
  }
  if (queued_bytes_ > 0 && queued_bytes_ + append.bytes > limits::kAppendQueueBytesMax) {
    return fail(Errc::queue_full, fmt::format("{} bytes are waiting", queued_bytes_));
  }
  append.ticket = acks_.clients.push(std::move(done));
  queued_bytes_ += append.bytes;
  queue_.push_back(std::move(append));
  wake();
  return {};
}

void Sequencer::put(RemoteAppend append) {
  {
    const MutexLock lock(mutex_);
    if (!failed_ && !closing_) {
      queued_bytes_ += append.bytes;
      queue_.push_back(std::move(append));
      wake();
      return;
    }
  }
  resolve(append, fail(Errc::closed, stream_.url()));
  flush();
}

std::deque<RemoteAppend> Sequencer::take_back() {
  const MutexLock lock(mutex_);
  std::deque<RemoteAppend> taken;
  std::deque<RemoteAppend> kept;
  for (Offered& offered : offered_) {
    forget(offered);
    auto& to = offered.append.source == RemoteAppend::Source::client ? taken : kept;
    to.push_back(std::move(offered.append));
  }
  offered_.clear();
  for (RemoteAppend& append : queue_) {
    auto& to = append.source == RemoteAppend::Source::client ? taken : kept;
    to.push_back(std::move(append));
  }
  queue_ = std::move(kept);
  for (const RemoteAppend& append : taken) {
    queued_bytes_ -= append.bytes;
  }
  lost_ = lost_ || unanswered_ > 0;
  changed_.notify_all();
  return taken;
}

void Sequencer::wait_until_idle(std::chrono::milliseconds within) {
  MutexLock lock(mutex_);
  const auto until = Clockwork::now() + within;
  while (!failed_ && !is_idle() && Clockwork::now() < until) {
    changed_.wait_until(lock, until);
  }
}

bool Sequencer::is_idle() const { return queue_.empty() && offered_.empty(); }

void Sequencer::resolve(const RemoteAppend& append, Result<AppendReceipt> answer) {
  AckQueue& queue =
      append.source == RemoteAppend::Source::client ? acks_.clients : acks_.deliveries;
  queue.resolve(append.ticket, std::move(answer));
}

void Sequencer::flush() {
  acks_.clients.flush();
  acks_.deliveries.flush();
}

void Sequencer::run() {
  MutexLock lock(mutex_);
  while (wait_for_work(lock)) {
    if (lost_) {
      settle_lost(lock);
    } else {
      offer();
    }
    lock.unlock();
    flush();
    lock.lock();
  }
}

bool Sequencer::wait_for_work(MutexLock& lock) {
  while (true) {
    if (failed_ || closing_) {
      return false;
    }
    if (stream_.is_connected() && (lost_ ? unanswered_ == 0 : may_offer())) {
      return true;
    }
    changed_.wait_for(lock, !queue_.empty() && better_waits() ? kJoinedFor : kLookAgain);
  }
}

/// To wake a thread for every append costs more than what it then does.
void Sequencer::wake() {
  if (lost_ || is_idle() || may_offer()) {
    changed_.notify_all();
  }
}

bool Sequencer::may_offer() const {
  return !queue_.empty() && !better_waits() && offered_.size() < limits::kEngineInFlightEvents &&
         (offered_bytes_ == 0 ||
          offered_bytes_ + queue_.front().bytes <= limits::kEngineInFlightBytes) &&
         Clockwork::now() >= way_given_until_;
}

void Sequencer::begin_anew() {
  const Replica::Position at = replica_.position();
  last_sequence_ = at.sequence;
  next_ = at.end;
  lost_ = false;
}

std::optional<IdWindow::Known> Sequencer::known(const Uuid& event_id) const {
  const auto offered = offered_ids_.find(event_id);
  return offered != offered_ids_.end() ? std::optional(offered->second)
                                       : replica_.log().known(event_id);
}

/// Whether the engine has enough to do, and what waits could be one message with what comes yet.
bool Sequencer::better_waits() const {
  return unanswered_ >= kMessagesUnanswered && queue_.size() < kJoinedEventsMax &&
         queued_bytes_ - offered_bytes_ < kJoinedBytesMax &&
         Clockwork::now() < published_at_ + kJoinedFor &&
         go_together(queue_.front(), queue_.back());
}

bool Sequencer::fits(const Joined& joined, const RemoteAppend& append) const {
  return joined.events + append.events.size() <= kJoinedEventsMax &&
         joined.bytes + joined_bytes(append) <=
             std::min(kJoinedBytesMax, options_.message_bytes_max) &&
         offered_.size() < limits::kEngineInFlightEvents &&
         offered_bytes_ + append.bytes <= limits::kEngineInFlightBytes;
}

std::size_t Sequencer::joined_bytes(const RemoteAppend& append) const {
  return message_bytes(append.events, 0) + append.events.size() * options_.event_overhead_bytes;
}

/// Where each event will be, or is already; those that are new are added to the batch.
Result<std::vector<AppendReceipt::Place>> Sequencer::place(const RemoteAppend& append,
                                                           RemoteBatch& batch) {
  std::vector<AppendReceipt::Place> places;
  std::vector<const event::NewEvent*> fresh;
  std::unordered_map<Uuid, IdWindow::Known> here;
  for (const event::NewEvent& event : append.events) {
    const std::uint64_t fingerprint = IdWindow::fingerprint(event.payload);
    const auto earlier = here.find(*event.event_id);
    const auto before =
        earlier != here.end() ? std::optional(earlier->second) : known(*event.event_id);
    if (before && before->fingerprint != fingerprint) {
      return fail(Errc::event_id_conflict, "event_id " + to_string(*event.event_id));
    }
    const Offset offset = before ? before->offset : batch.end() + fresh.size();
    places.push_back({offset, *event.event_id, before.has_value()});
    if (!before) {
      here.emplace(*event.event_id, IdWindow::Known{offset, fingerprint});
      fresh.push_back(&event);
    }
  }
  for (const event::NewEvent* event : fresh) {
    batch.events.push_back(*event);
  }
  offered_ids_.merge(here);
  return places;
}

/// Adds the append to what goes out, or answers it at once: a conflict concerns nobody else. The
/// ids that are assigned here are kept with the append, so that it is the same events however often
/// it is offered.
void Sequencer::join(Joined& joined, RemoteAppend append) {
  for (event::NewEvent& event : append.events) {
    if (!event.event_id) {
      event.event_id = ids_.next(std::max({last_time_, new_from_, clock_.now()}));
    }
  }
  const std::size_t before = joined.batch.events.size();
  auto places = place(append, joined.batch);
  if (!places) {
    queued_bytes_ -= append.bytes;
    resolve(append, fail(places.error()));
    return;
  }
  joined.events += append.events.size();
  joined.bytes += joined_bytes(append);
  offered_bytes_ += append.bytes;
  Offered offered{.append = std::move(append),
                  .places = *std::move(places),
                  .first_new = std::nullopt,
                  .first_new_offset = joined.batch.first + before,
                  .shares = false,
                  .sequence = last_sequence_,
                  .published = 0,
                  .refused = std::nullopt};
  if (joined.batch.events.size() > before) {
    // With the first new event there is a message.
    last_sequence_ += before == 0 ? 1U : 0U;
    ++joined.sharing;
    offered.append.offered = true;
    offered.first_new = joined.batch.events[before].event_id;
    offered.sequence = last_sequence_;
  }
  offered_.push_back(std::move(offered));
}

/// The oldest append, and those behind it that may be in the same message.
void Sequencer::offer() {
  if (offered_.empty()) {
    begin_anew();
  }
  const auto recorded = queue_.front().recorded;
  last_time_ = std::max(
      {last_time_, replica_.last_time(), recorded ? *recorded : std::max(new_from_, clock_.now())});
  Joined joined{.batch = {next_, last_time_, {}}};
  for (bool more = true; more;) {
    more = queue_.size() > 1 && go_together(queue_.front(), queue_[1]);
    RemoteAppend append = std::move(queue_.front());
    queue_.pop_front();
    join(joined, std::move(append));
    more = more && fits(joined, queue_.front());
  }
  if (joined.batch.events.empty()) {
    settle_applied();
    return;
  }
  if (joined.sharing > 1) {
    for (Offered& offered : with_sequence(last_sequence_)) {
      offered.shares = true;
    }
  }
  next_ = joined.batch.end();
  publish(joined.batch);
}

/// What was offered in this message, and the duplicates behind it.
std::ranges::subrange<std::deque<Sequencer::Offered>::iterator> Sequencer::with_sequence(
    std::uint64_t sequence) {
  return std::ranges::equal_range(offered_, sequence, {}, &Offered::sequence);
}

void Sequencer::publish(const RemoteBatch& batch) {
  const std::uint64_t expected = last_sequence_ - 1;
  ++unanswered_;
  published_at_ = Clockwork::now();
  mutex_.unlock();
  const auto taken = stream_.publish(batch, expected, [this, expected](const auto& sequence) {
    note_published(expected, sequence);
  });
  if (!taken) {
    note_published(expected, fail(taken.error()));
  }
  mutex_.lock();
}

void Sequencer::note_published(std::uint64_t expected, const Result<std::uint64_t>& sequence) {
  const MutexLock lock(mutex_);
  --unanswered_;
  answers_ += sequence || sequence.error().code == Errc::not_next ? 1U : 0U;
  lost_ = lost_ || !sequence;
  if (!sequence && sequence.error().code == Errc::unreachable) {
    // It may say so at once, again and again.
    way_given_until_ = std::max(way_given_until_, Clockwork::now() + kLookAgain);
  }
  for (Offered& offered : with_sequence(expected + 1)) {
    if (!offered.first_new) {
      continue;
    }
    if (sequence) {
      offered.published = *sequence;
    } else if (!is_open_question(sequence.error())) {
      offered.refused = sequence.error();
    }
  }
  wake();
}

void Sequencer::note_applied(std::uint64_t sequence) {
  {
    const MutexLock lock(mutex_);
    applied_ = std::max(applied_, sequence);  // two threads may tell it
    settle_applied();
    wake();
  }
  flush();
}

void Sequencer::settle_applied() {
  while (!offered_.empty() && offered_.front().sequence <= applied_) {
    Offered& front = offered_.front();
    if (front.first_new) {
      const auto found = replica_.log().known(*front.first_new);
      if (!found || found->offset != front.first_new_offset) {
        lost_ = true;
        return;
      }
      losses_ = 0;
    }
    answer(front);
    offered_.pop_front();
  }
}

void Sequencer::forget(const Offered& offered) {
  offered_bytes_ -= offered.append.bytes;
  for (const event::NewEvent& event : offered.append.events) {
    offered_ids_.erase(*event.event_id);
  }
}

void Sequencer::answer(Offered& offered) {
  forget(offered);
  queued_bytes_ -= offered.append.bytes;
  resolve(offered.append, AppendReceipt{options_.durability, std::move(offered.places)});
}

/// Why its message is none of the stream's, for good.
std::optional<Error> Sequencer::why_not(const Offered& offered) const {
  // It would be no event again, and fill the stream.
  if (const auto why = replica_.why_foreign(offered.published)) {
    return Error{Errc::foreign, *why};
  }
  return offered.refused;
}

/// Every publish has been answered. Finds out what is in the stream and puts the rest back.
void Sequencer::settle_lost(MutexLock& lock) {
  const bool loses = losses_ >= kLossesBorne;
  mutex_.unlock();
  if (loses) {
    stream_.ask_for_turn();
  }
  const auto facts = stream_.facts();
  mutex_.lock();
  if (!facts) {
    changed_.wait_for(lock, kLookAgain);
    return;
  }
  const auto until = Clockwork::now() + limits::kEngineRequestWithin;
  while (applied_ < facts->last_sequence) {
    if (failed_ || !stream_.is_connected() || Clockwork::now() >= until) {
      return;
    }
    changed_.wait_for(lock, kLookAgain);
  }
  std::deque<RemoteAppend> again;
  for (Offered& offered : offered_) {
    const auto found = offered.first_new ? replica_.log().known(*offered.first_new) : std::nullopt;
    if (found) {
      for (AppendReceipt::Place& at : offered.places) {
        const auto place = replica_.log().known(at.event_id);
        at.offset = place ? place->offset : at.offset;
      }
      answer(offered);
    } else if (auto why = why_not(offered); why && !offered.shares) {
      forget(offered);
      queued_bytes_ -= offered.append.bytes;
      resolve(offered.append, fail(*std::move(why)));
    } else {
      forget(offered);
      // Where it shared its message, another one may be to blame.
      offered.append.alone = offered.append.alone || why.has_value();
      again.push_back(std::move(offered.append));
    }
  }
  offered_.clear();
  losses_ = again.empty() ? 0 : losses_ + 1;
  queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()),
                std::make_move_iterator(again.end()));
  begin_anew();
}

void Sequencer::give_way() {
  const MutexLock lock(mutex_);
  way_given_until_ = Clockwork::now() + kWayGivenFor;
}

void Sequencer::note_connection() {
  const MutexLock lock(mutex_);
  changed_.notify_all();
}

void Sequencer::refuse_all(const Error& error) {
  for (const Offered& offered : offered_) {
    resolve(offered.append,
            fail(offered.first_new ? Error{Errc::indeterminate, error.message()} : error));
  }
  for (const RemoteAppend& append : queue_) {
    resolve(append, fail(error));
  }
  offered_.clear();
  offered_ids_.clear();
  queue_.clear();
  queued_bytes_ = offered_bytes_ = 0;
  changed_.notify_all();
}

void Sequencer::fail_all(const Error& error) {
  {
    const MutexLock lock(mutex_);
    failed_ = error;
    refuse_all(error);
  }
  flush();
}

void Sequencer::close() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
    refuse_all({Errc::closed, stream_.url()});
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  flush();
}

Sequencer::Answers Sequencer::answers() const {
  const MutexLock lock(mutex_);
  // What is offered and answered waits for the replica, not for the engine.
  return {answers_, unanswered_ > 0 || lost_ || (offered_.empty() && !queue_.empty())};
}

std::size_t Sequencer::queued_bytes() const {
  const MutexLock lock(mutex_);
  return queued_bytes_;
}

}  // namespace vibes::eventlog::remote
