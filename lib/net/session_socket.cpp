// SPDX-License-Identifier: MIT
#include "net/session_socket.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "consumers/broadcaster.hpp"
#include "event/filter.hpp"
#include "net/session_messages.hpp"
#include "net/session_request.hpp"
#include "session/attachment.hpp"
#include "wire/frame_header.hpp"

namespace vibes::net {

namespace {

using session::Attachment;
using Clock = std::chrono::steady_clock;

// Raw bytes of one message: output often and small, a replay in as few as a 1 MiB message allows.
constexpr std::size_t kOutputBytes = 32 * limits::kKiB;
constexpr std::size_t kReplayBytes = 512 * limits::kKiB;
// A client that asks faster than it reads its answers is not read from until it has caught up.
constexpr std::size_t kRepliesMax = 256;
constexpr std::size_t kReplyBytesMax = 1 * limits::kMiB;
// The same of a client whose programs do not read what it types: so much of that waits for an
// answer of the session's thread, which comes when there is room. In one message more at most.
constexpr std::size_t kInputsMax = 32;
constexpr std::size_t kInputBytesMax = 128 * limits::kKiB;
// Events looked at per turn for what every client is told.
constexpr std::size_t kLogEventsPerTurn = 256;

class SessionSocket final : public Endpoint {
 public:
  SessionSocket(Connection& connection, session::SessionRegistry& sessions, eventlog::EventLog& log)
      : connection_(connection), sessions_(sessions), log_(log) {}

  void on_open() override;
  void on_message(std::string_view text) override;
  void on_writable() override;
  void on_timer() override;
  void on_log_moved() override;
  void on_stop() override;
  void on_close() override;

 private:
  struct Attached {
    std::shared_ptr<Attachment>
        attachment;            // shared with the command that made it, until that is done
    std::uint64_t number = 0;  // of the attach; a session may be attached again
    Clock::time_point replay_at;
    bool acknowledged = false;  // nothing is said of the session before that
    bool resized = false;
    std::vector<std::string> removed;  // what of session_removed waits for the end of the output
  };
  using Attachments = std::map<std::string, Attached, std::less<>>;

  void attach(session::SessionSpec spec);
  void on_attached(std::uint64_t number, const std::string& id,
                   Result<std::shared_ptr<Attachment>> result);
  void on_recorded(std::uint64_t number, const std::string& id);
  void detach(const std::string& id);
  void forget(const std::string& id);
  void input(const std::string& id, std::string bytes);
  void resize(const std::string& id, unsigned cols, unsigned rows);
  void on_resized(const std::string& id);
  void show_replay(const std::string& id, Attached& attached);
  void kill(const std::string& id);
  void list(const std::string& request_id);

  void reply(std::string message);
  void count_request();
  void finish_request();
  void finish_input(std::size_t bytes);
  [[nodiscard]] bool has_too_much() const;
  [[nodiscard]] bool has_room() const;
  void balance_reading();

  void read_log();
  void tell_all(const event::EventView& event);
  void collect_replies(std::string& frames);
  void collect_output(std::string& frames);
  void collect_from(Attachments::iterator which, std::string& frames);
  void release_replays();

  Connection& connection_;
  session::SessionRegistry& sessions_;
  eventlog::EventLog& log_;
  Connection::Poster post_;
  // Whether a wake-up is under way: one at a time per connection, however many attachments have
  // however much to say. Shared with the wakes, which may be called when we are gone.
  const std::shared_ptr<std::atomic<bool>> waking_ = std::make_shared<std::atomic<bool>>(false);
  const std::string client_id_ = to_string(random_uuid());

  std::unique_ptr<eventlog::Reader>
      reader_;  // what every client is told: from where the connection began
  event::Filter filter_;
  bool log_moved_ = false;

  std::deque<std::string> replies_;
  std::size_t reply_bytes_ = 0;
  std::size_t requests_ = 0;  // left with the registry, unanswered
  std::size_t inputs_ = 0;    // the same of what was typed
  std::size_t input_bytes_ = 0;
  bool paused_ = false;
  bool stopping_ = false;
  bool closed_ = false;

  Attachments attachments_;
  std::map<std::uint64_t, std::string> acks_;  // by the attach, until the log has the session
  std::uint64_t attaches_ = 0;
  std::string output_turn_;  // whose output comes first: everybody gets a share of each burst
};

void append_frame(std::string& frames, std::string_view message) {
  wire::append_text_frame_header(frames, message.size());
  frames += message;
}

void SessionSocket::on_open() {
  post_ = connection_.poster();
  auto filter = event::Filter::parse(
      "session_created,session_state_changed,session_removed,tunnel_state_changed", std::nullopt);
  VIBES_ASSERT(filter.has_value());
  filter_ = *std::move(filter);
  auto reader = log_.reader(eventlog::End{});
  if (!reader) {
    connection_.close(CloseCode::internal, "the log cannot be read");
    return;
  }
  reader_ = *std::move(reader);
  sessions_.client_connected(client_id_);
  reply(auth_context_message());
}

void SessionSocket::on_message(std::string_view text) {
  if (stopping_) {
    return;
  }
  ParsedRequest parsed = parse_session_request(text);
  if (parsed.refused) {
    reply(std::move(*parsed.refused));
    return;
  }
  SessionRequest& request = parsed.request;
  switch (request.kind) {
    case SessionRequest::Kind::list:
      return list(request.request_id);
    case SessionRequest::Kind::attach:
      return attach(std::move(request.spec));
    case SessionRequest::Kind::detach:
      return detach(request.spec.id);
    case SessionRequest::Kind::input:
      return input(request.spec.id, std::move(request.data));
    case SessionRequest::Kind::resize:
      return resize(request.spec.id, *request.spec.cols, *request.spec.rows);
    case SessionRequest::Kind::kill:
      return kill(request.spec.id);
  }
}

void SessionSocket::on_close() {
  attachments_.clear();
  if (reader_) {
    sessions_.client_disconnected(client_id_);
  }
}

void SessionSocket::on_stop() {
  stopping_ = true;
  connection_.request_write();
}

// Requests
// ---------------------------------------------------------------------------------------------------------

void SessionSocket::list(const std::string& request_id) {
  reply(session_list_message(request_id, sessions_.list(), client_id_));
}

void SessionSocket::attach(session::SessionSpec spec) {
  spec.owner_id = client_id_;
  Attachment::Wake wake = [post = post_, waking = waking_, this] {
    if (!waking->exchange(true)) {
      post([this] {
        waking_->store(false);
        connection_.request_write();
      });
    }
  };
  count_request();
  std::string id = spec.id;
  const std::uint64_t number = ++attaches_;
  sessions_.attach(
      std::move(spec), std::move(wake),
      [post = post_, number, id, this](Result<std::shared_ptr<Attachment>> result) {
        // Held by a pointer because a std::function must be copyable.
        auto shared = std::make_shared<Result<std::shared_ptr<Attachment>>>(std::move(result));
        post([number, id, shared, this] { on_attached(number, id, std::move(*shared)); });
      },
      [post = post_, number, id, this] { post([number, id, this] { on_recorded(number, id); }); });
}

void SessionSocket::on_attached(std::uint64_t number, const std::string& id,
                                Result<std::shared_ptr<Attachment>> result) {
  finish_request();
  if (!result) {
    reply(error_message(id, result.error()));
    return;
  }
  Attached attached{.attachment = *std::move(result),
                    .number = number,
                    .replay_at = Clock::now() + limits::kReplayAfter,
                    .removed = {}};
  acks_.emplace(number, attach_ack_message(id, {.cols = attached.attachment->cols(),
                                                .rows = attached.attachment->rows()}));
  forget(id);
  attachments_.emplace(id, std::move(attached));
  release_replays();
}

/// The log has the session: now its client may hear of it.
void SessionSocket::on_recorded(std::uint64_t number, const std::string& id) {
  const auto ack = acks_.find(number);
  VIBES_ASSERT(ack != acks_.end());
  reply(std::move(ack->second));
  acks_.erase(ack);
  const auto found = attachments_.find(id);
  if (found == attachments_.end() || found->second.number != number) {
    return;  // detached meanwhile
  }
  Attached& attached = found->second;
  attached.acknowledged = true;
  if (attached.resized) {
    show_replay(id, attached);
  }
}

void SessionSocket::detach(const std::string& id) {
  // In the order of the requests: an attach may still be on its way.
  count_request();
  sessions_.flush([post = post_, id, this] {
    post([id, this] {
      finish_request();
      forget(id);
    });
  });
}

/// A session_removed that waited for the end of the output waits no longer.
void SessionSocket::forget(const std::string& id) {
  const auto found = attachments_.find(id);
  if (found == attachments_.end()) {
    return;
  }
  std::vector<std::string> removed = std::move(found->second.removed);
  attachments_.erase(found);
  for (std::string& message : removed) {
    reply(std::move(message));
  }
}

void SessionSocket::input(const std::string& id, std::string bytes) {
  const std::size_t size = bytes.size();
  ++inputs_;
  input_bytes_ += size;
  balance_reading();
  sessions_.input(id, std::move(bytes), [post = post_, id, size, this](const Result<void>& result) {
    std::string error = result ? std::string() : error_message(id, result.error());
    post([error = std::move(error), size, this] {
      finish_input(size);
      if (!error.empty()) {
        reply(error);
      }
    });
  });
}

void SessionSocket::resize(const std::string& id, unsigned cols, unsigned rows) {
  count_request();
  sessions_.resize(id, cols, rows, [post = post_, id, this](const Result<void>& result) {
    std::string error = result ? std::string() : error_message(id, result.error());
    post([id, error = std::move(error), this] {
      finish_request();
      if (error.empty()) {
        on_resized(id);
      } else {
        reply(error);
      }
    });
  });
}

void SessionSocket::on_resized(const std::string& id) {
  const auto found = attachments_.find(id);
  if (found == attachments_.end() || found->second.resized) {
    return;
  }
  found->second.resized = true;
  if (found->second.acknowledged) {
    show_replay(id, found->second);
  }
}

void SessionSocket::show_replay(const std::string& id, Attached& attached) {
  if (!attached.attachment->has_replay()) {
    // Nothing came before the attach, and the client may wait to hear it.
    reply(replay_message(id, {}));
  }
  attached.attachment->release_replay();
  connection_.request_write();
}

void SessionSocket::kill(const std::string& id) {
  count_request();
  sessions_.kill(id, [post = post_, id, this](const Result<void>& result) {
    std::string error = result ? std::string() : error_message(id, result.error());
    post([error = std::move(error), this] {
      finish_request();
      if (!error.empty()) {
        reply(error);
      }
    });
  });
}

// Back pressure
// ----------------------------------------------------------------------------------------------------

void SessionSocket::reply(std::string message) {
  reply_bytes_ += message.size();
  replies_.push_back(std::move(message));
  balance_reading();
  connection_.request_write();
}

void SessionSocket::count_request() {
  ++requests_;
  balance_reading();
}

void SessionSocket::finish_request() {
  --requests_;
  balance_reading();
}

void SessionSocket::finish_input(std::size_t bytes) {
  --inputs_;
  input_bytes_ -= bytes;
  balance_reading();
}

bool SessionSocket::has_too_much() const {
  return requests_ + replies_.size() >= kRepliesMax || reply_bytes_ >= kReplyBytesMax ||
         inputs_ >= kInputsMax || input_bytes_ >= kInputBytesMax;
}

bool SessionSocket::has_room() const {
  return requests_ + replies_.size() <= kRepliesMax / 2 && reply_bytes_ <= kReplyBytesMax / 2 &&
         inputs_ <= kInputsMax / 2 && input_bytes_ <= kInputBytesMax / 2;
}

void SessionSocket::balance_reading() {
  if (!paused_ && has_too_much()) {
    paused_ = true;
    connection_.pause_reading();
  } else if (paused_ && has_room()) {
    paused_ = false;
    connection_.resume_reading();
  }
}

// From the log
// -----------------------------------------------------------------------------------------------------

void SessionSocket::on_log_moved() {
  log_moved_ = true;
  connection_.request_write();
}

void SessionSocket::read_log() {
  if (!log_moved_ || !reader_ || reply_bytes_ >= kReplyBytesMax) {
    return;
  }
  const auto batch = reader_->read({.events_max = kLogEventsPerTurn,
                                    .bytes_max = limits::kScanSliceBytes,
                                    .scan_bytes_max = limits::kScanSliceBytes,
                                    .filter = &filter_});
  if (!batch) {
    connection_.close(CloseCode::internal, "the log cannot be read");
    closed_ = true;
    return;
  }
  for (const event::EventView& event : batch->events) {
    tell_all(event);
  }
  if (batch->gap) {
    reply(error_message({.session_id = {},
                         .code = "gap",
                         .message = "events were removed before they could be told; list again",
                         .request_id = {}}));
  }
  log_moved_ = reader_->position() < log_.end();
  if (log_moved_) {
    connection_.request_write();
  }
}

void SessionSocket::tell_all(const event::EventView& event) {
  auto message = log_message(event);
  if (!message) {
    return;
  }
  const auto found = attachments_.find(message->removed_session);
  // A removal is appended when the session's stream has ended: while it has not, the one removed
  // was an earlier session of this id.
  if (!message->removed_session.empty() && found != attachments_.end() &&
      found->second.attachment->has_ended()) {
    // Its output and its exit go first.
    found->second.removed.push_back(std::move(message->text));
    return;
  }
  reply(std::move(message->text));
}

// Towards the client
// -----------------------------------------------------------------------------------------------

void SessionSocket::on_writable() {
  read_log();
  if (closed_) {
    return;
  }
  std::string frames;
  collect_replies(frames);
  if (replies_.empty()) {
    collect_output(frames);
  }
  if (!frames.empty()) {
    connection_.write_frames(frames);
  } else if (stopping_) {
    connection_.close(CloseCode::going_away, "the server is stopping");
    return;
  }
  if (!replies_.empty() || frames.size() >= limits::kWriteChunkBytes || log_moved_ || stopping_) {
    connection_.request_write();
  }
}

void SessionSocket::collect_replies(std::string& frames) {
  while (!replies_.empty() && frames.size() < limits::kWriteChunkBytes) {
    append_frame(frames, replies_.front());
    reply_bytes_ -= replies_.front().size();
    replies_.pop_front();
  }
  balance_reading();
}

void SessionSocket::collect_output(std::string& frames) {
  auto which = attachments_.lower_bound(output_turn_);
  for (std::size_t left = attachments_.size(); left > 0 && !stopping_; --left) {
    if (which == attachments_.end()) {
      which = attachments_.begin();
    }
    const auto next = std::next(which);
    if (which->second.acknowledged) {
      collect_from(which, frames);
    }
    which = next;
    if (frames.size() >= limits::kWriteChunkBytes) {
      output_turn_ = which == attachments_.end() ? std::string() : which->first;
      return;
    }
  }
}

void SessionSocket::collect_from(Attachments::iterator which, std::string& frames) {
  const std::string& id = which->first;
  Attached& attached = which->second;
  while (frames.size() < limits::kWriteChunkBytes) {
    auto piece = attached.attachment->next(attached.attachment->is_replaying() ? kReplayBytes
                                                                               : kOutputBytes);
    if (!piece) {
      return;
    }
    if (piece->kind == Attachment::Piece::Kind::output) {
      append_frame(frames, output_message(id, piece->bytes));
    } else if (piece->kind != Attachment::Piece::Kind::end) {
      append_frame(frames, replay_message(id, piece->bytes));
    } else {
      append_frame(frames, exit_message(id, piece->end));
      for (const std::string& message : attached.removed) {
        append_frame(frames, message);
      }
      attachments_.erase(which);
      return;
    }
  }
}

// Replay for clients that never resize
// -----------------------------------------------------------------------------

void SessionSocket::on_timer() {
  release_replays();
  connection_.request_write();
}

void SessionSocket::release_replays() {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (auto& [id, attached] : attachments_) {
    if (!attached.attachment->has_replay() || attached.attachment->is_released()) {
      continue;
    }
    if (attached.replay_at <= now) {
      attached.attachment->release_replay();
    } else {
      next = std::min(next, attached.replay_at);
    }
  }
  if (next != Clock::time_point::max()) {
    connection_.set_timer(std::chrono::ceil<std::chrono::milliseconds>(next - now));
  }
}

}  // namespace

std::unique_ptr<Endpoint> make_session_endpoint(Connection& connection,
                                                session::SessionRegistry& sessions,
                                                eventlog::EventLog& log) {
  return std::make_unique<SessionSocket>(connection, sessions, log);
}

}  // namespace vibes::net
