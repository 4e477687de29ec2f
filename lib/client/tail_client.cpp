// SPDX-License-Identifier: MIT
#include "client/tail_client.hpp"

#include <algorithm>
#include <chrono>

#include "base/limits.hpp"
#include "client/errc.hpp"
#include "client/frame_reader.hpp"
#include "client/http_client.hpp"
#include "event/codec.hpp"
#include "event/cursor.hpp"

namespace vibes::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kConnectWithin{10'000};

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

bool is(const Error& error, Errc code) { return error.code == make_error_code(code); }

/// Errors that may be gone at the next try.
bool is_passing(const Error& error) {
  return is(error, Errc::cannot_connect) || is(error, Errc::connection_lost) ||
         is(error, Errc::timed_out) || is(error, Errc::unavailable) ||
         is(error, Errc::queue_full) || is(error, Errc::conflict);
}

event::Cursor cursor_behind(const Uuid& log_id, const TailEvent& event) {
  event::EventView view;
  view.offset = event.offset;
  view.event_id = parse_uuid(event.event_id).value_or(Uuid{});
  view.payload = event.event;
  return event::Cursor{log_id, event.offset + 1, event::cursor_check(view)};
}

}  // namespace

class TailClient::Impl {
 public:
  Impl(Target target, TailOptions options)
      : target_(std::move(target)), options_(std::move(options)) {}

  Result<TailMessage> next(Deadline deadline);
  void service(Deadline deadline);
  Result<void> command(std::string_view text, Deadline deadline);

  [[nodiscard]] std::string cursor() const { return cursor_; }
  [[nodiscard]] std::string cursor_after(const TailEvent& event) const {
    return to_string(cursor_behind(hello_ ? hello_->log_id : Uuid{}, event));
  }
  [[nodiscard]] const std::optional<Hello>& hello() const { return hello_; }
  void close(Deadline deadline);
  void wake() noexcept { waker_->wake(); }
  WebSocket* socket() { return socket_ ? &*socket_ : nullptr; }

 private:
  [[nodiscard]] std::string path() const;
  [[nodiscard]] milliseconds silence_max() const;
  /// Waits for the next attempt and makes it. A Lost message if it failed and another one follows.
  Result<std::optional<TailMessage>> connect(Deadline deadline);
  Result<TailMessage> lost(Error error);
  Result<std::string_view> receive(Deadline deadline);
  /// Nothing: the frame was for the client alone.
  Result<std::optional<TailMessage>> act(Frame frame);
  Result<std::optional<TailMessage>> act_on_error(const ErrorFrame& frame);

  Target target_;
  TailOptions options_;
  std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();
  FrameReader reader_;
  std::optional<WebSocket> socket_;
  std::optional<Hello> hello_;
  std::string cursor_;
  bool ended_ = false;
  std::optional<Error> announced_;  // why the server is about to close

  milliseconds backoff_{0};
  Deadline retry_at_{};
  steady_clock::duration silent_for_{0};  // waited since the last frame
};

std::string TailClient::Impl::path() const {
  const bool resumes = options_.group.empty() && !cursor_.empty();
  std::string path = "/ws/firehose?from=" + percent_encode(resumes ? cursor_ : options_.from);
  const auto add = [&path](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      path += "&" + std::string(name) + "=" + percent_encode(value);
    }
  };
  add("until", options_.until);
  add("types", options_.types);
  add("session", options_.session.value_or(""));
  add("tree", options_.tree ? "1" : "");
  add("group", options_.group);
  add("batch", options_.framing == TailOptions::Framing::batched ? "1" : "");
  add("heartbeat", options_.heartbeat ? std::to_string(options_.heartbeat->count()) : "");
  return path;
}

milliseconds TailClient::Impl::silence_max() const {
  // Two heartbeats missed, and some slack for a busy machine.
  return 2 * milliseconds(options_.heartbeat.value_or(limits::kHeartbeatDefault)) +
         milliseconds{5'000};
}

Result<TailMessage> TailClient::Impl::lost(Error error) {
  socket_.reset();
  const bool first = !hello_;
  if (announced_) {
    error = *std::exchange(announced_, std::nullopt);
  }
  const auto on_loss = first ? options_.on_first_failure : options_.on_loss;
  if (on_loss == TailOptions::OnLoss::fail || !is_passing(error)) {
    return fail(std::move(error));
  }
  backoff_ = backoff_.count() == 0 ? limits::kReconnectFirst
                                   : std::min(backoff_ * 2, limits::kReconnectLast);
  retry_at_ = within(backoff_);
  return TailMessage(Lost{std::move(error), backoff_});
}

Result<std::optional<TailMessage>> TailClient::Impl::connect(Deadline deadline) {
  const Deadline wait_until = std::min(deadline, retry_at_);
  if (waker_->wait(wait_until)) {
    return fail(make_error_code(Errc::woken), {});
  }
  if (steady_clock::now() < retry_at_) {
    return fail(make_error_code(Errc::timed_out), {});
  }
  const Deadline connect_by = std::min(deadline, within(kConnectWithin));
  auto socket = WebSocket::connect(target_, path(), connect_by, waker_);
  if (socket) {
    socket_.emplace(*std::move(socket));
    silent_for_ = {};
    return std::optional<TailMessage>();
  }
  const bool out_of_time = is(socket.error(), Errc::timed_out) && connect_by == deadline;
  if (is(socket.error(), Errc::woken) || out_of_time) {
    return fail(std::move(socket).error());
  }
  VIBES_TRY_ASSIGN(message, lost(std::move(socket).error()));
  return std::optional<TailMessage>(std::move(message));
}

Result<std::string_view> TailClient::Impl::receive(Deadline deadline) {
  const auto began = steady_clock::now();
  const auto dead_at = began + silence_max() - silent_for_;
  auto frame = socket_->receive(std::min(deadline, dead_at));
  if (frame) {
    silent_for_ = {};
    return frame;
  }
  silent_for_ += steady_clock::now() - began;
  if (is(frame.error(), Errc::timed_out) && silent_for_ >= silence_max()) {
    return fail(make_error_code(Errc::connection_lost),
                target_.endpoint.url() + " has been silent for two heartbeats");
  }
  return frame;
}

Result<TailMessage> TailClient::Impl::next(Deadline deadline) {
  for (;;) {
    if (ended_) {
      return TailMessage(Ended{});
    }
    if (!socket_) {
      VIBES_TRY_ASSIGN(failed, connect(deadline));
      if (failed) {
        return *std::move(failed);
      }
    }
    auto text = receive(deadline);
    if (!text) {
      if (is(text.error(), Errc::timed_out) || is(text.error(), Errc::woken)) {
        return fail(std::move(text).error());
      }
      return lost(std::move(text).error());
    }
    VIBES_TRY_ASSIGN(frame, reader_.read(*text));
    VIBES_TRY_ASSIGN(message, act(std::move(frame)));
    if (message) {
      return *std::move(message);
    }
  }
}

Result<std::optional<TailMessage>> TailClient::Impl::act(Frame frame) {
  using Outcome = Result<std::optional<TailMessage>>;
  const auto pass = [](auto message) { return Outcome(TailMessage(std::move(message))); };
  return std::visit(Overloaded{
                        [&](HelloFrame& got) {
                          got.hello.again = hello_.has_value();
                          hello_ = got.hello;
                          cursor_ = std::move(got.cursor);
                          backoff_ = milliseconds{0};
                          return pass(std::move(got.hello));
                        },
                        [&](Events& got) {
                          if (got.events.empty()) {
                            return Outcome(std::optional<TailMessage>());
                          }
                          cursor_ = cursor_after(got.events.back());
                          return pass(got);
                        },
                        [&](PositionFrame& got) {
                          cursor_ = std::move(got.cursor);
                          return pass(got.report);
                        },
                        [&](Ended& got) {
                          ended_ = true;
                          return pass(got);
                        },
                        [&](GapReport& got) { return pass(std::move(got)); },
                        [&](Committed& got) { return pass(got); },
                        [&](Assigned& got) { return pass(got); },
                        [&](const ErrorFrame& got) { return act_on_error(got); },
                        [&](OtherFrame&) { return Outcome(std::optional<TailMessage>()); },
                    },
                    frame);
}

Result<std::optional<TailMessage>> TailClient::Impl::act_on_error(const ErrorFrame& frame) {
  const bool busy = frame.code == "group_busy";
  const int like_status = busy ? 409 : 400;
  Error error{make_error_code(errc_of(frame.code, like_status)), frame.code + ": " + frame.message};
  if (busy) {
    announced_ = std::move(error);
    return std::optional<TailMessage>();
  }
  return fail(std::move(error));
}

void TailClient::Impl::service(Deadline deadline) {
  if (socket_) {
    const auto served = socket_->service(deadline);
    if (served || is(served.error(), Errc::woken)) {
      return;
    }
  }
  // Nothing to keep alive, but the wait is still the caller's.
  (void)waker_->wait(deadline);
}

Result<void> TailClient::Impl::command(std::string_view text, Deadline deadline) {
  if (!socket_) {
    return {};
  }
  auto sent = socket_->send(text, deadline);
  const bool fatal = !sent && (is(sent.error(), Errc::timed_out) || is(sent.error(), Errc::woken));
  return fatal ? std::move(sent) : Result<void>();
}

void TailClient::Impl::close(Deadline deadline) {
  if (socket_) {
    (void)socket_->close(deadline);
    socket_.reset();
  }
}

TailClient::TailClient(Target target, TailOptions options)
    : impl_(std::make_unique<Impl>(std::move(target), std::move(options))) {}
TailClient::TailClient(TailClient&&) noexcept = default;
TailClient& TailClient::operator=(TailClient&&) noexcept = default;
TailClient::~TailClient() = default;

Result<TailMessage> TailClient::next(Deadline deadline) { return impl_->next(deadline); }
void TailClient::service(Deadline deadline) { impl_->service(deadline); }

Result<void> TailClient::commit(Offset next, Deadline deadline) {
  return impl_->command(R"({"type":"commit","offset":)" + std::to_string(next.value()) + "}",
                        deadline);
}

Result<void> TailClient::working(Deadline deadline) {
  return impl_->command(R"({"type":"working"})", deadline);
}

Result<void> TailClient::reject(Offset offset, std::string_view reason, unsigned attempts,
                                Deadline deadline) {
  std::string text = R"({"type":"reject","offset":)" + std::to_string(offset.value()) +
                     R"(,"attempts":)" + std::to_string(attempts) + R"(,"reason":)";
  event::append_json_string(text, reason.substr(0, limits::kDeadLetterReasonBytesMax));
  text += "}";
  return impl_->command(text, deadline);
}

std::string TailClient::cursor() const { return impl_->cursor(); }
std::string TailClient::cursor_after(const TailEvent& event) const {
  return impl_->cursor_after(event);
}
const std::optional<Hello>& TailClient::hello() const { return impl_->hello(); }
void TailClient::close(Deadline deadline) { impl_->close(deadline); }
void TailClient::wake() noexcept { impl_->wake(); }
WebSocket* TailClient::socket() { return impl_->socket(); }

}  // namespace vibes::client
