// SPDX-License-Identifier: MIT
#include "net/append_socket.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "eventlog/event_log.hpp"
#include "net/append_answer.hpp"
#include "net/append_error.hpp"
#include "net/append_query.hpp"

namespace vibes::net {
namespace {

// What an event in flight costs beside its bytes.
constexpr std::size_t kMessageOverheadBytes = 256;
// At most so much room is made for a bundle before its events are there.
constexpr event::PackedEvents::Room kRoomAhead{1'024, 256 * limits::kKiB};
// How soon a message that found no room is tried again where no commit says so earlier.
constexpr std::chrono::milliseconds kRetryAfter{10};

/// Where whoever commits leaves receipts for the net thread. Shared with the appends under way,
/// which may outlive the connection.
class ReceiptBox {
 public:
  using Receipt = eventlog::BundleReceipt;

  ReceiptBox(Connection& connection, std::function<void()> collect)
      : post_quietly_(connection.quiet_poster()),
        post_(connection.poster()),
        collect_(std::move(collect)) {}

  /// On any thread. The commit's own wake-up comes right behind an ack; nothing does behind a
  /// refusal, nor where the end of the log stays where it is, as it does for pending events.
  void put(Receipt receipt) {
    const bool wakes_nobody = receipt.pending || newest(receipt) == nullptr;
    bool post = false;
    {
      const MutexLock lock(mutex_);
      receipts_.push_back(std::move(receipt));
      post = !std::exchange(posted_, true);
    }
    if (wakes_nobody) {
      post_(collect_);
    } else if (post) {
      post_quietly_(collect_);
    }
  }

  /// On the net thread: what has come since the last time, in order. `into` comes empty and keeps
  /// its memory.
  void take(std::vector<Receipt>& into) {
    const MutexLock lock(mutex_);
    posted_ = false;
    receipts_.swap(into);
  }

  /// The event of these that is furthest on in the log; nullptr: they were all there before.
  static const eventlog::AppendReceipt::Place* newest(const Receipt& receipt) {
    const auto found = std::ranges::find_if(receipt.places.rbegin(), receipt.places.rend(),
                                            [](const auto& place) { return !place.duplicate; });
    return found == receipt.places.rend() ? nullptr : &*found;
  }

 private:
  const Connection::Poster post_quietly_;
  const Connection::Poster post_;
  const std::function<void()> collect_;
  Mutex mutex_;
  std::vector<Receipt> receipts_ VIBES_GUARDED_BY(mutex_);
  bool posted_ VIBES_GUARDED_BY(mutex_) = false;
};

/// One producer. Messages that come in one turn of the net thread are given to the log together.
class AppendSocket final : public Endpoint {
 public:
  AppendSocket(Connection& connection, AppendContext& context, AppendQuery query)
      : connection_(connection),
        context_(context),
        query_(std::move(query)),
        answers_(query_.ids),
        box_(std::make_shared<ReceiptBox>(connection, [this] { collect(); })) {}

  void on_message(std::string_view text) override;
  void on_input_end() override;
  void on_writable() override;
  void on_timer() override;
  void on_log_moved() override;
  void on_stop() override;

 private:
  /// Messages that have not been answered: in the log's queue, or one that was refused and waits
  /// for its turn to say so.
  struct Unanswered {
    std::vector<std::size_t> ends;  // of the messages' events, counted from the first
    std::size_t told = 0;           // messages of these that have been answered
    std::size_t bytes = 0;
    AppendBudget::Share share;
    std::optional<Error> refused;
    std::size_t line = 0;
  };
  /// What waits for the end of the turn, or for room in the log's queue.
  struct Gathered {
    eventlog::AppendBundle bundle;
    std::size_t bytes = 0;
    AppendBudget::Share share;
  };
  enum class Taken : std::uint8_t { yes, no_room };

  Taken take(std::string_view text);
  void make_room();
  Taken gather(std::string_view text, std::size_t before);
  Taken pass_on();
  void refuse(Error error, std::size_t line);
  void collect();
  void answer_arrived();
  void answer(const ReceiptBox::Receipt& receipt);
  void answer_refused();
  void retry_held();
  /// At the end of a turn: something waits for room.
  [[nodiscard]] bool has_held() const { return !held_.empty() || !gathered_.bundle.empty(); }
  void balance_reading();
  void proceed();

  Connection& connection_;
  AppendContext& context_;
  const AppendQuery query_;
  AppendAnswers answers_;
  std::shared_ptr<ReceiptBox> box_;  // shared with the appends under way
  Gathered gathered_;
  event::PackedEvents::Room room_;     // what the last bundle took
  std::deque<Unanswered> unanswered_;  // oldest first
  std::size_t unanswered_bytes_ = 0;   // with gathered_
  /// Messages that came although reading was paused, or found no room. Bounded by what the
  /// connection had read already.
  std::deque<std::string> held_;
  std::deque<ReceiptBox::Receipt> arrived_;    // of the front of unanswered_, not yet visible
  std::vector<ReceiptBox::Receipt> receipts_;  // memory that collect() uses again
  bool retry_timer_set_ = false;
  bool reading_paused_ = false;
  bool stopping_ = false;
};

void AppendSocket::on_message(std::string_view text) {
  if (stopping_) {
    return;  // never acknowledged: the producer sends it again elsewhere
  }
  if (!held_.empty() || take(text) == Taken::no_room) {
    held_.emplace_back(text);
  }
}

void AppendSocket::on_input_end() {
  (void)pass_on();
  proceed();
}

AppendSocket::Taken AppendSocket::take(std::string_view text) {
  if (query_.unavailable) {
    // Nothing of this connection is ever appended, so its order is that of the messages.
    answers_.nack("durability_unavailable", *query_.unavailable);
    return Taken::yes;
  }
  event::PackedEvents& events = gathered_.bundle.events;
  const std::size_t before = events.size();
  if (before == 0) {
    make_room();
  }
  if (text.find('\n') == std::string_view::npos) {
    // Mostly a message is one event. If it is not, what follows says why.
    if (event::check_into(events, text, context_.check)) {
      return gather(text, before);
    }
  }
  auto batch = event::check_ndjson(text, context_.check);
  if (!batch.refused) {
    for (std::size_t i = 0; i < batch.events.size(); ++i) {
      events.add(batch.events[i]);
    }
    return gather(text, before);
  }
  if (pass_on() == Taken::no_room) {
    return Taken::no_room;  // what came before is answered before
  }
  refuse(std::move(batch.refused->error), batch.refused->line);
  return Taken::yes;
}

/// For as much as the last bundle had: one that grows copies its events again and again.
void AppendSocket::make_room() {
  gathered_.bundle.events.reserve(room_);
  gathered_.bundle.ends.reserve(room_.events);
}

/// Makes the gathered events behind the first `before`, which are those of `text`, an append; where
/// there is no room they go again.
AppendSocket::Taken AppendSocket::gather(std::string_view text, std::size_t before) {
  event::PackedEvents& events = gathered_.bundle.events;
  const std::size_t bytes = text.size() + (events.size() - before) * kMessageOverheadBytes;
  const bool too_many =
      unanswered_bytes_ > 0 && unanswered_bytes_ + bytes > limits::kUnackedBytesPerConnection;
  AppendBudget::Share share = too_many ? AppendBudget::Share() : context_.budget.take(bytes);
  if (!share) {
    events.truncate(before);
    return Taken::no_room;
  }
  gathered_.share.add(std::move(share));
  gathered_.bytes += bytes;
  unanswered_bytes_ += bytes;
  gathered_.bundle.close_append();
  return Taken::yes;
}

/// Gives the log what was gathered. A receipt may come at any moment, but finds what is noted here:
/// it is collected on this thread.
AppendSocket::Taken AppendSocket::pass_on() {
  while (!gathered_.bundle.empty()) {
    const event::PackedEvents& events = gathered_.bundle.events;
    room_ = {std::min(events.size(), kRoomAhead.events),
             std::min(events.bytes(), kRoomAhead.bytes)};
    std::vector<std::size_t> ends = gathered_.bundle.ends;
    const auto taken = context_.log.append_bundle(
        gathered_.bundle,
        [box = box_](ReceiptBox::Receipt receipt) { box->put(std::move(receipt)); });
    if (taken) {
      ends.resize(*taken);
      unanswered_.push_back({std::move(ends), 0, std::exchange(gathered_.bytes, 0),
                             std::exchange(gathered_.share, {}), std::nullopt, 0});
    } else if (taken.error().code == eventlog::Errc::queue_full) {
      return Taken::no_room;
    } else {
      (void)gathered_.bundle.take_front(1);
      refuse(taken.error(), 0);
    }
  }
  unanswered_bytes_ -= std::exchange(gathered_.bytes, 0);  // of what was refused
  gathered_.share = {};
  return Taken::yes;
}

void AppendSocket::refuse(Error error, std::size_t line) {
  unanswered_.push_back({{}, 0, 0, {}, std::move(error), line});
  answer_refused();
}

void AppendSocket::answer_refused() {
  while (!unanswered_.empty() && unanswered_.front().refused) {
    answers_.nack(*unanswered_.front().refused, unanswered_.front().line);
    unanswered_.pop_front();
  }
}

void AppendSocket::collect() {
  box_->take(receipts_);
  for (ReceiptBox::Receipt& receipt : receipts_) {
    arrived_.push_back(std::move(receipt));
  }
  receipts_.clear();
  answer_arrived();
  retry_held();
  proceed();
}

// A receipt is made just before the end of the log moves. Its ack waits for that, so that whoever
// has the ack can read the event. Pending events have no place that could be waited for.
void AppendSocket::answer_arrived() {
  const Offset end = context_.log.end();
  while (!arrived_.empty()) {
    const ReceiptBox::Receipt& receipt = arrived_.front();
    const auto* const newest = ReceiptBox::newest(receipt);
    if (!receipt.pending && newest != nullptr && newest->offset >= end) {
      break;
    }
    answer(receipt);
    arrived_.pop_front();
    Unanswered& front = unanswered_.front();
    if (front.told == front.ends.size()) {
      unanswered_bytes_ -= front.bytes;
      unanswered_.pop_front();
      answer_refused();
    }
  }
}

/// Of messages at the front of unanswered_.
void AppendSocket::answer(const ReceiptBox::Receipt& receipt) {
  Unanswered& of = unanswered_.front();
  const bool as_one = receipt.refused.empty() && query_.ids == AckIds::without && !receipt.pending;
  if (as_one) {
    answers_.ack({receipt.places, receipt.durability, receipt.pending});
    of.told += receipt.appends;
    return;
  }
  std::span<const eventlog::AppendReceipt::Place> places(receipt.places);
  auto refused = receipt.refused.begin();
  for (std::size_t i = 0; i < receipt.appends; ++i, ++of.told) {
    if (refused != receipt.refused.end() && refused->append == i) {
      answers_.nack(refused->error, 0);
      ++refused;
      continue;
    }
    const std::size_t count = of.ends[of.told] - (of.told == 0 ? 0 : of.ends[of.told - 1]);
    answers_.ack({places.first(count), receipt.durability, receipt.pending});
    places = places.subspan(count);
  }
}

void AppendSocket::retry_held() {
  while (!held_.empty() && take(held_.front()) == Taken::yes) {
    held_.pop_front();
  }
  (void)pass_on();
}

void AppendSocket::on_log_moved() {
  if (!arrived_.empty() || !held_.empty() || !gathered_.bundle.empty()) {
    answer_arrived();
    retry_held();
    proceed();
  }
}

void AppendSocket::on_writable() {
  if (!answers_.empty()) {
    connection_.write_frames(answers_.take_frames());
  }
  proceed();
}

void AppendSocket::on_timer() {
  retry_timer_set_ = false;
  retry_held();
  proceed();
}

void AppendSocket::on_stop() {
  stopping_ = true;
  held_.clear();
  proceed();
}

// Ends every turn.
void AppendSocket::proceed() {
  balance_reading();
  if (has_held() && !retry_timer_set_) {
    retry_timer_set_ = true;
    connection_.set_timer(kRetryAfter);
  }
  if (!answers_.empty()) {
    connection_.request_write();
  } else if (stopping_ && unanswered_.empty() && gathered_.bundle.empty()) {
    connection_.close(CloseCode::going_away, "the server is stopping");
  }
}

void AppendSocket::balance_reading() {
  const bool full = stopping_ || has_held() ||
                    unanswered_bytes_ >= limits::kUnackedBytesPerConnection ||
                    answers_.bytes() >= limits::kAnswersBytesQueued;
  const bool low = !stopping_ && !has_held() &&
                   unanswered_bytes_ <= limits::kUnackedBytesPerConnection / 2 &&
                   answers_.bytes() <= limits::kAnswersBytesQueued / 2;
  if (full && !reading_paused_) {
    reading_paused_ = true;
    connection_.pause_reading();
  } else if (low && reading_paused_) {
    reading_paused_ = false;
    connection_.resume_reading();
  }
}

}  // namespace

Result<EndpointMaker> plan_append_socket(const Query& query, AppendContext& context) {
  VIBES_TRY_ASSIGN(parsed, parse_append_query(query, AckIds::without, context.log));
  return EndpointMaker([parsed = std::move(parsed), &context](Connection& connection) {
    return std::make_unique<AppendSocket>(connection, context, parsed);
  });
}

}  // namespace vibes::net
