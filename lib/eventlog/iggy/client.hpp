// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "eventlog/iggy/http.hpp"
#include "eventlog/iggy/options.hpp"

namespace vibes::eventlog::iggy {

/// What all connections to one server share: who we are there, and whether it answers. Thread-safe.
class Session {
 public:
  explicit Session(const IggyOptions& options) : options_(options) {}

  /// A token that is valid as far as is known; logs in where there is none. Errors: unreachable,
  /// unauthorized, other_settings (it is no Iggy server).
  Result<std::string> token(HttpConnection& connection, const std::stop_token& stop);
  /// The server does not take it, it may have been started anew.
  void forget(const std::string& token);

  [[nodiscard]] bool is_connected() const { return connected_; }
  /// Before anything else.
  void on_connection_changed(std::function<void()> listener) { listener_ = std::move(listener); }
  void note_answer();
  void note_silence();
  /// From now on no listener is called; waits for the one that is.
  void close();

 private:
  using Clockwork = std::chrono::steady_clock;

  Result<void> log_in(HttpConnection& connection, const std::stop_token& stop)
      VIBES_REQUIRES(mutex_);
  void tell();

  const IggyOptions& options_;
  Mutex mutex_;
  std::string token_ VIBES_GUARDED_BY(mutex_);  // empty: none
  Clockwork::time_point renew_at_ VIBES_GUARDED_BY(mutex_);

  std::atomic<bool> connected_ = false;
  Mutex telling_;
  std::function<void()> listener_;  // called under telling_
  bool closed_ VIBES_GUARDED_BY(telling_) = false;
};

/// One connection, as whom the session is. For one thread.
class Client {
 public:
  Client(const IggyOptions& options, Session& session)
      : options_(options), session_(session), connection_(options.base()) {}

  /// The server's answer, whatever it is, but for one that says who are you: then logs in and asks
  /// again, once. Errors: Errc::unreachable (the server does not have the request), indeterminate
  /// (it may), unauthorized, batch_too_large (the answer is), closed (stopped).
  Result<HttpAnswer> call(const HttpRequest& request, const std::stop_token& stop = {});
  /// The same for a question, which may be asked twice, and is while the server is busy: no
  /// indeterminate, and an answer of 5xx or 429 is unreachable.
  Result<HttpAnswer> ask(const HttpRequest& request, const std::stop_token& stop = {});
  /// HttpConnection::connects()
  [[nodiscard]] std::uint64_t connects() const { return connection_.connects(); }

 private:
  const IggyOptions& options_;
  Session& session_;
  HttpConnection connection_;
};

inline constexpr long kOk = 200;
inline constexpr long kCreated = 201;
inline constexpr long kBadRequest = 400;
inline constexpr long kUnauthorized = 401;
inline constexpr long kForbidden = 403;
inline constexpr long kNotFound = 404;
inline constexpr long kContentTooLarge = 413;
inline constexpr long kUnprocessable = 422;
inline constexpr long kTooManyRequests = 429;
inline constexpr long kServerError = 500;
inline constexpr long kUnavailable = 503;
inline constexpr long kGatewayTimeout = 504;  // from 0.9: a partition that is not up yet

/// "503 the reason", for people.
std::string describe(const HttpAnswer& answer);

}  // namespace vibes::eventlog::iggy
