// SPDX-License-Identifier: MIT
#include "attach_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "client/errc.hpp"

namespace vibes::ctl {
namespace {

using client::Errc;

constexpr std::chrono::milliseconds kConnectWithin{10'000};
constexpr std::chrono::milliseconds kSendWithin{10'000};
constexpr std::chrono::milliseconds kCloseWithin{1'000};
constexpr std::chrono::milliseconds kLookUpEvery{200};
/// Of what is typed. Where the program does not read, its server takes no more at some point; then
/// as much waits here, so that the keys that leave are still seen, and the rest with the terminal.
constexpr std::size_t kTypedBytesMax = 1 * limits::kMiB;
constexpr std::size_t kQueuedBytesMax = 256 * limits::kKiB;
constexpr std::chrono::milliseconds kSendMoreEvery{20};
/// Small, so that a terminal that takes little is not waited for long.
constexpr std::size_t kWriteBytes = 4'096;
ExitCode died_of(int signal) { return static_cast<ExitCode>(128 + signal); }

constexpr std::string_view kResetTerminal =
    "\x1b"
    "c";

bool is(const Error& error, Errc code) { return error.code == client::make_error_code(code); }

/// As the HTTP side of sessions would have it.
Error error_of(const client::Refused& refused) {
  static constexpr std::pair<std::string_view, int> kStatuses[] = {
      {"session_not_found", 404}, {"session_exited", 409},
      {"too_many_sessions", 429}, {"busy", 429},
      {"spawn_failed", 503},      {"log_unavailable", 503},
      {"stopping", 503},
  };
  const auto* found = std::find_if(std::begin(kStatuses), std::end(kStatuses),
                                   [&](const auto& known) { return known.first == refused.code; });
  const int status = found == std::end(kStatuses) ? 400 : found->second;
  return {client::make_error_code(client::errc_of(refused.code, status)),
          refused.code + ": " + refused.message};
}

/// May be gone at the next try.
bool is_passing(const Error& error) {
  return is(error, Errc::cannot_connect) || is(error, Errc::connection_lost) ||
         is(error, Errc::timed_out) || is(error, Errc::unavailable) || is(error, Errc::queue_full);
}

}  // namespace

std::optional<client::WindowSize> window_size() {
  for (const int fd : {STDOUT_FILENO, STDIN_FILENO}) {
    if (const auto size = cli::terminal_size(fd)) {
      return client::WindowSize{size->cols, size->rows};
    }
  }
  return std::nullopt;
}

AttachLoop::AttachLoop(Session& session, const client::Target& target,
                       client::AttachRequest request, AttachTerminal terminal,
                       std::shared_ptr<client::Waker> waker)
    : session_(session),
      target_(target),
      request_(std::move(request)),
      terminal_(terminal),
      waker_(std::move(waker)) {}

ExitCode AttachLoop::run() {
  while (!stop_) {
    attend();
    if (stop_) {
      break;
    }
    if (client_) {
      receive();
    } else {
      wait_and_connect();
    }
  }
  if (terminal_.shows) {
    write(modes_.undo());
  }
  if (client_) {
    client_->close(client::within(kCloseWithin));
  }
  return *stop_;
}

// --- From the terminal ---

void AttachLoop::attend() {
  if (terminal_.events.deadly_signal() != 0) {
    stop(ExitCode::failure);  // the caller dies of it
    return;
  }
  if (terminal_.events.take_stop()) {
    give_way();
  }
  if (terminal_.events.take_continue()) {
    come_back();
  }
  if (terminal_.events.take_resize()) {
    attend_size();
  }
  // While there is no session to type to keys wait, but for those that leave.
  if (is_attached() || was_attached_) {
    attend_input();
  }
}

void AttachLoop::give_way() {
  if (terminal_.shows) {
    write(modes_.undo());
    modes_ = cli::ScreenModes();
  }
  if (terminal_.raw != nullptr) {
    terminal_.raw->restore();
  }
  (void)::raise(SIGSTOP);
}

/// Whoever had the terminal meanwhile set it and wrote on it as they liked.
void AttachLoop::come_back() {
  if (terminal_.raw != nullptr) {
    terminal_.raw->enter_again();
  }
  if (terminal_.shows && is_attached()) {
    ++redraws_;
    request_.size = window_size();
    insist([&](client::Deadline d) { return client_->attach_again(request_, d); });
  }
}

void AttachLoop::attend_size() {
  request_.size = window_size();
  if (request_.size && is_attached()) {
    send_size();
  }
}

void AttachLoop::attend_input() {
  constexpr char kInterrupt = '\x03';
  constexpr std::string_view kEndOfInput = "\x04";
  std::string keys;
  if (typed_.size() < kTypedBytesMax) {
    keys = terminal_.events.take_input();
  }
  if (terminal_.raw != nullptr) {
    DetachKey::Typed typed = detach_key_.take(keys);
    keys = std::move(typed.bytes);
    if (!client_ && keys.find(kInterrupt) != std::string::npos) {
      stop(ExitCode::cannot_connect);
      return;
    }
    if (typed.detach) {
      if (is_attached()) {
        typed_ += keys;
        send_typed();
      }
      detach();
      return;
    }
  }
  if (!is_attached()) {
    return;  // typed into nothing
  }
  typed_ += keys;
  if (terminal_.events.input_ended() && !std::exchange(end_of_input_, true)) {
    if (terminal_.raw != nullptr) {
      detach();  // the terminal has gone away
      return;
    }
    typed_ += kEndOfInput;
  }
  send_typed();
}

template <class Send>
void AttachLoop::insist(Send send) {
  const client::Deadline deadline = client::within(kSendWithin);
  bool woken = false;
  Result<void> sent = send(deadline);
  while (!sent && is(sent.error(), Errc::woken) && terminal_.events.deadly_signal() == 0) {
    woken = true;
    sent = send(deadline);
  }
  if (woken) {
    waker_->wake();  // what woke us is still to be attended to
  }
  // A connection that is lost is found out by the next receive().
}

void AttachLoop::send_size() {
  insist([&](client::Deadline d) { return client_->resize(*request_.size, d); });
}

/// As much as can be sent without waiting.
void AttachLoop::send_typed() {
  std::size_t sent = 0;
  while (sent < typed_.size() && client_->queued_bytes() < kQueuedBytesMax) {
    const auto piece = std::string_view(typed_).substr(sent, limits::kPtyInputBytesMax);
    insist([&](client::Deadline d) { return client_->input(piece, d); });
    sent += piece.size();
  }
  typed_.erase(0, sent);
}

void AttachLoop::detach() {
  write(modes_.undo());
  modes_ = cli::ScreenModes();
  note(fmt::format("detached; 'vibesctl attach {}' comes back", request_.id));
  stop(ExitCode::ok);
}

// --- Connections ---

void AttachLoop::wait_and_connect() {
  if (waker_->wait(std::min(retry_at_, client::within(kLookUpEvery)))) {
    return;
  }
  if (std::chrono::steady_clock::now() < retry_at_) {
    return;
  }
  auto client =
      client::SessionClient::attach(target_, request_, client::within(kConnectWithin), waker_);
  if (client) {
    client_.emplace(*std::move(client));
  } else if (!is(client.error(), Errc::woken)) {
    lose(client.error());
  }
}

void AttachLoop::lose(const Error& error) {
  const bool first = client_.has_value() || backoff_.count() == 0;
  client_.reset();
  attached_ = false;
  redraws_ = 0;
  typed_.clear();  // as what was on its way
  if (!was_attached_ || !is_passing(error)) {
    fail_with(error);
    return;
  }
  if (first) {
    note(error.message() + R"(; trying again, ctrl-\ d or ctrl-c gives up)");
    replay_repeats_ = true;
  }
  backoff_ = backoff_.count() == 0 ? limits::kReconnectFirst
                                   : std::min(backoff_ * 2, limits::kReconnectLast);
  retry_at_ = client::within(backoff_);
}

// --- From the session ---

void AttachLoop::receive() {
  const auto message =
      client_->next(typed_.empty() ? client::kNever : client::within(kSendMoreEvery));
  if (message) {
    std::visit([this](const auto& heard) { on(heard); }, *message);
  } else if (!is(message.error(), Errc::woken) && !is(message.error(), Errc::timed_out)) {
    lose(message.error());
  }
}

void AttachLoop::on(const client::Attached& /*attached*/) {
  if (redraws_ > 0) {
    --redraws_;
    replay_repeats_ = true;
  } else if (was_attached_) {
    note("attached again");
  }
  attached_ = was_attached_ = true;
  backoff_ = std::chrono::milliseconds{0};
  request_.if_missing = client::AttachRequest::IfMissing::refuse;
  if (request_.size) {
    // The first one brings the replay.
    send_size();
  }
  attend_input();
}

void AttachLoop::on(const client::Output& output) {
  if (output.is_replay && !output.bytes.empty() && std::exchange(replay_repeats_, false) &&
      terminal_.shows) {
    write(kResetTerminal);
  }
  if (!output.bytes.empty()) {
    refusal_told_ = false;
  }
  modes_.follow(output.bytes);
  write(output.bytes);
}

void AttachLoop::on(const client::Exited& exited) {
  if (exited.code) {
    stop(static_cast<ExitCode>(*exited.code));
  } else if (exited.signal) {
    stop(died_of(*exited.signal));
  } else {
    // Nobody waits for how its program takes that.
    note("the session was killed");
    stop(died_of(SIGHUP));
  }
}

void AttachLoop::on(const client::Removed& removed) {
  // An earlier session of this id may be told as removed while we ask for a new one.
  if (attached_) {
    note("the session is gone: " + removed.reason);
    stop(removed.reason == "killed" ? died_of(SIGHUP) : ExitCode::failure);
  }
}

void AttachLoop::on(const client::Refused& refused) {
  if (!attached_) {
    refuse_attach(refused);
    return;
  }
  const bool is_over = refused.code == "session_exited" || refused.code == "session_not_found";
  if (!is_over && !std::exchange(refusal_told_, true)) {
    tell([&] { session_.report.warning(refused.message); });
  }
}

void AttachLoop::refuse_attach(const client::Refused& refused) {
  const Error error = error_of(refused);
  if (was_attached_ && is_passing(error)) {
    lose(error);
    return;
  }
  fail_with(error);
  if (was_attached_ && is(error, Errc::not_found)) {
    session_.report.hint("sessions end with their server");
  }
}

// --- Towards the user ---

void AttachLoop::stop(ExitCode code) {
  if (!stop_) {
    stop_ = code;
  }
}

void AttachLoop::write(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd waiting{STDOUT_FILENO, POLLOUT, 0};
    if (::poll(&waiting, 1, static_cast<int>(kLookUpEvery.count())) <= 0) {
      if (terminal_.events.deadly_signal() != 0) {
        return;
      }
      continue;
    }
    const ssize_t wrote = ::write(STDOUT_FILENO, bytes.data(), std::min(bytes.size(), kWriteBytes));
    if (wrote < 0 && errno != EINTR && errno != EAGAIN) {
      const int error = errno;
      if (error != EPIPE && error != EIO) {
        fail_with({std::error_code(error, std::system_category()), "cannot write to stdout"});
      }
      stop(error == EPIPE ? ExitCode::ok : ExitCode::io_error);
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(wrote, 0)));
  }
}

template <class Say>
void AttachLoop::tell(Say say) {
  if (terminal_.raw == nullptr) {
    say();
    return;
  }
  if (terminal_.shows) {
    write("\r\n");
  }
  terminal_.raw->restore();
  say();
  terminal_.raw->enter_again();
}

void AttachLoop::note(const std::string& text) {
  if (!session_.report.is_quiet()) {
    tell([&] { session_.report.note(text); });
  }
}

void AttachLoop::fail_with(const Error& error) {
  tell([&] { stop(report_query_error(session_, error)); });
}

}  // namespace vibes::ctl
