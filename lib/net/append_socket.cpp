// SPDX-License-Identifier: MIT
#include "net/append_socket.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "eventlog/event_log.hpp"
#include "net/append_answer.hpp"
#include "net/append_error.hpp"

namespace vibes::net {
namespace {

// What an event in flight costs beside its bytes.
constexpr std::size_t kMessageOverheadBytes = 256;
// How soon a message that found no room is tried again where no commit says so earlier.
constexpr std::chrono::milliseconds kRetryAfter{10};

struct AppendQuery {
  AckIds ids = AckIds::without;
  /// Set: the client wants more than this log gives, and every message is refused with this.
  std::optional<std::string> unavailable;
};

/// Where the writer thread leaves receipts for the net thread. Shared with the appends under way,
/// which may outlive the connection.
class ReceiptBox {
 public:
  using Receipt = Result<eventlog::AppendReceipt>;

  ReceiptBox(Connection& connection, std::function<void()> collect)
      : post_quietly_(connection.quiet_poster()),
        post_(connection.poster()),
        collect_(std::move(collect)) {}

  /// On the writer thread. The commit's own wake-up comes right behind an ack; nothing does behind
  /// a refusal, nor where the end of the log stays where it is, as it does for pending events.
  void put(Receipt receipt) {
    const bool wakes_nobody = !receipt || receipt->pending || receipt->places.back().duplicate;
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

 private:
  const Connection::Poster post_quietly_;
  const Connection::Poster post_;
  const std::function<void()> collect_;
  Mutex mutex_;
  std::vector<Receipt> receipts_ VIBES_GUARDED_BY(mutex_);
  bool posted_ VIBES_GUARDED_BY(mutex_) = false;
};

/// One producer.
class AppendSocket final : public Endpoint {
 public:
  AppendSocket(Connection& connection, AppendContext& context, AppendQuery query)
      : connection_(connection),
        context_(context),
        query_(std::move(query)),
        answers_(query_.ids),
        box_(std::make_shared<ReceiptBox>(connection, [this] { collect(); })) {}

  void on_message(std::string_view text) override;
  void on_writable() override;
  void on_timer() override;
  void on_log_moved() override;
  void on_stop() override;

 private:
  /// A message that has not been answered: in the log's queue, or refused and waiting for its turn
  /// to say so.
  struct Unanswered {
    std::size_t bytes = 0;
    AppendBudget::Share share;
    std::optional<Error> refused;
    std::size_t line = 0;
  };
  enum class Taken : std::uint8_t { yes, no_room };

  Taken take(std::string_view text);
  Taken append(std::string_view text, std::vector<event::NewEvent> events);
  void refuse(Error error, std::size_t line);
  void collect();
  void answer_arrived();
  void answer_refused();
  void retry_held();
  void balance_reading();
  void proceed();

  Connection& connection_;
  AppendContext& context_;
  const AppendQuery query_;
  AppendAnswers answers_;
  std::shared_ptr<ReceiptBox> box_;    // shared with the appends under way
  std::deque<Unanswered> unanswered_;  // oldest first
  std::size_t unanswered_bytes_ = 0;
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
  proceed();
}

AppendSocket::Taken AppendSocket::take(std::string_view text) {
  if (query_.unavailable) {
    // Nothing of this connection is ever appended, so its order is that of the messages.
    answers_.nack("durability_unavailable", *query_.unavailable);
    return Taken::yes;
  }
  auto batch = event::check_ndjson(text, context_.check);
  if (batch.refused) {
    refuse(std::move(batch.refused->error), batch.refused->line);
    return Taken::yes;
  }
  return append(text, std::move(batch.events));
}

AppendSocket::Taken AppendSocket::append(std::string_view text,
                                         std::vector<event::NewEvent> events) {
  const std::size_t bytes = text.size() + events.size() * kMessageOverheadBytes;
  if (!unanswered_.empty() && unanswered_bytes_ + bytes > limits::kUnackedBytesPerConnection) {
    return Taken::no_room;
  }
  AppendBudget::Share share = context_.budget.take(bytes);
  if (!share) {
    return Taken::no_room;
  }
  // Before the append, because its receipt may come at any moment; what it finds is on this thread
  // only.
  auto appended = context_.log.append(std::move(events), [box = box_](ReceiptBox::Receipt receipt) {
    box->put(std::move(receipt));
  });
  if (appended) {
    unanswered_.push_back({bytes, std::move(share), std::nullopt, 0});
    unanswered_bytes_ += bytes;
    return Taken::yes;
  }
  if (appended.error().code == eventlog::Errc::queue_full) {
    return Taken::no_room;
  }
  refuse(std::move(appended).error(), 0);
  return Taken::yes;
}

void AppendSocket::refuse(Error error, std::size_t line) {
  unanswered_.push_back({0, {}, std::move(error), line});
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
    if (!receipt) {
      answers_.nack(receipt.error(), 0);
    } else if (receipt->pending || receipt->places.back().offset < end) {
      answers_.ack(*receipt);
    } else {
      break;
    }
    arrived_.pop_front();
    unanswered_bytes_ -= unanswered_.front().bytes;
    unanswered_.pop_front();
    answer_refused();
  }
}

void AppendSocket::retry_held() {
  while (!held_.empty() && take(held_.front()) == Taken::yes) {
    held_.pop_front();
  }
}

void AppendSocket::on_log_moved() {
  if (!arrived_.empty() || !held_.empty()) {
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
  if (!held_.empty() && !retry_timer_set_) {
    retry_timer_set_ = true;
    connection_.set_timer(kRetryAfter);
  }
  if (!answers_.empty()) {
    connection_.request_write();
  } else if (stopping_ && unanswered_.empty()) {
    connection_.close(CloseCode::going_away, "the server is stopping");
  }
}

void AppendSocket::balance_reading() {
  const bool full = stopping_ || !held_.empty() ||
                    unanswered_bytes_ >= limits::kUnackedBytesPerConnection ||
                    answers_.bytes() >= limits::kAnswersBytesQueued;
  const bool low = !stopping_ && held_.empty() &&
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

Unexpected bad(std::string what) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(what));
}

Result<AppendQuery> parse_query(const Query& query, const AppendContext& context) {
  AppendQuery parsed;
  if (const auto ids = query.get("ids")) {
    if (*ids != "0" && *ids != "1") {
      return bad("ids takes 0 or 1, not \"" + *ids + "\"");
    }
    parsed.ids = *ids == "1" ? AckIds::with : AckIds::without;
  }
  if (const auto ack = query.get("ack")) {
    const auto wanted = eventlog::parse_durability(*ack);
    if (!wanted) {
      return bad("ack takes memory, os, fsync or replicated, not \"" + *ack + "\"");
    }
    const eventlog::Durability given = durability_of(context.log.status());
    if (given < *wanted) {
      parsed.unavailable = "this log acknowledges " + std::string(to_string(given)) + ", not " +
                           std::string(to_string(*wanted));
    }
  }
  return parsed;
}

}  // namespace

Result<EndpointMaker> plan_append_socket(const Query& query, AppendContext& context) {
  VIBES_TRY_ASSIGN(parsed, parse_query(query, context));
  return EndpointMaker([parsed = std::move(parsed), &context](Connection& connection) {
    return std::make_unique<AppendSocket>(connection, context, parsed);
  });
}

}  // namespace vibes::net
