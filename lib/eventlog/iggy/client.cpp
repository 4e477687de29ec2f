// SPDX-License-Identifier: MIT
#include "eventlog/iggy/client.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/wire.hpp"

namespace vibes::eventlog::iggy {
namespace {

using namespace std::chrono_literals;

/// Where the two clocks disagree so much that a new token seems to be old, the server says when it
/// is.
constexpr auto kTokenForSomeTime = 30min;

constexpr auto kBusyWithin = 10s;
constexpr auto kBusyPause = 100ms;

using Clockwork = std::chrono::steady_clock;

bool is_busy(long status) {
  return status == kTooManyRequests || status == kUnavailable || status == kGatewayTimeout;
}

std::error_code code_of(HttpFailure::Kind kind) {
  switch (kind) {
    case HttpFailure::Kind::not_sent:
      return Errc::unreachable;
    case HttpFailure::Kind::unknown:
      return Errc::indeterminate;
    case HttpFailure::Kind::too_large:
      return Errc::batch_too_large;
    case HttpFailure::Kind::stopped:
      return Errc::closed;
  }
  return Errc::unreachable;
}

}  // namespace

std::string describe(const HttpAnswer& answer) {
  const ServerError error = parse_error(answer.body);
  return fmt::format("{} {}", answer.status, error.reason);
}

Result<std::string> Session::token(HttpConnection& connection, const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  if (token_.empty() || Clockwork::now() >= renew_at_) {
    VIBES_TRY(log_in(connection, stop));
  }
  return token_;
}

Result<void> Session::log_in(HttpConnection& connection, const std::stop_token& stop) {
  const HttpRequest request{.method = HttpRequest::Method::post,
                            .path = "/users/login",
                            .body = login_body(options_.user, options_.password)};
  auto outcome = connection.perform(request, {}, stop);
  if (!outcome.answer) {
    const bool stopped = outcome.failure.kind == HttpFailure::Kind::stopped;
    return fail(stopped ? Errc::closed : Errc::unreachable,
                fmt::format("{}: {}", options_.url(), outcome.failure.why));
  }
  const HttpAnswer& answer = *outcome.answer;
  if (answer.status == kTooManyRequests || answer.status >= kServerError) {
    return fail(Errc::unreachable, fmt::format("{}: {}", options_.url(), describe(answer)));
  }
  if (answer.status == kUnauthorized || answer.status == kForbidden ||
      parse_error(answer.body).id == kInvalidCredentials) {
    return fail(Errc::unauthorized,
                fmt::format("{}: user {}: {}", options_.url(), options_.user, describe(answer)));
  }
  if (answer.status != kOk) {
    return fail(Errc::other_settings,
                fmt::format("{}: a login is answered with {}: is this an Iggy server?",
                            options_.url(), answer.status));
  }
  VIBES_TRY_ASSIGN(login, parse_login(answer.body));
  const auto lifetime = std::chrono::seconds(login.expires_unix_s) -
                        std::chrono::duration_cast<std::chrono::seconds>(
                            std::chrono::microseconds(system_clock().now().unix_us));
  renew_at_ = Clockwork::now() + (lifetime > 0s ? std::chrono::milliseconds(lifetime) * 3 / 4
                                                : std::chrono::milliseconds(kTokenForSomeTime));
  token_ = std::move(login.token);
  return {};
}

void Session::forget(const std::string& token) {
  const MutexLock lock(mutex_);
  if (token_ == token) {
    token_.clear();
  }
}

void Session::note_answer() {
  if (!connected_.exchange(true)) {
    tell();
  }
}

void Session::note_silence() {
  if (connected_.exchange(false)) {
    tell();
  }
}

void Session::tell() {
  const MutexLock lock(telling_);
  if (!closed_ && listener_) {
    listener_();
  }
}

void Session::close() {
  const MutexLock lock(telling_);
  closed_ = true;
}

Result<HttpAnswer> Client::call(const HttpRequest& request, const std::stop_token& stop) {
  constexpr int kTries = 2;
  for (int tried = 1;; ++tried) {
    auto token = session_.token(connection_, stop);
    if (!token) {
      if (token.error().code == Errc::unreachable) {
        session_.note_silence();
      }
      return fail(std::move(token).error());
    }
    auto outcome = connection_.perform(request, *token, stop);
    if (!outcome.answer) {
      const HttpFailure& failure = outcome.failure;
      if (failure.kind == HttpFailure::Kind::not_sent ||
          failure.kind == HttpFailure::Kind::unknown) {
        session_.note_silence();
      }
      return fail(code_of(failure.kind), fmt::format("{}: {}", options_.url(), failure.why));
    }
    session_.note_answer();
    if (outcome.answer->status != kUnauthorized) {
      return *std::move(outcome.answer);
    }
    session_.forget(*token);
    if (tried == kTries) {
      return fail(Errc::unauthorized,
                  fmt::format("{}: {}", options_.url(), describe(*outcome.answer)));
    }
  }
}

Result<HttpAnswer> Client::ask(const HttpRequest& request, const std::stop_token& stop) {
  const auto until = Clockwork::now() + kBusyWithin;
  while (true) {
    auto answer = call(request, stop);
    if (!answer) {
      return answer.error().code == Errc::indeterminate
                 ? fail(Errc::unreachable, answer.error().context)
                 : std::move(answer);
    }
    if (answer->status < kServerError && answer->status != kTooManyRequests) {
      return answer;
    }
    if (!is_busy(answer->status) || Clockwork::now() >= until || stop.stop_requested()) {
      return fail(Errc::unreachable, fmt::format("{}: {}", options_.url(), describe(*answer)));
    }
    Mutex unused;
    MutexLock lock(unused);
    CondVar().wait_for(lock, stop, kBusyPause, [] { return false; });
  }
}

}  // namespace vibes::eventlog::iggy
