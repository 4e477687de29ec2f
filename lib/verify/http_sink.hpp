// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "client/deadline.hpp"

namespace vibes::verify {

/// What somebody sent to an HttpSink.
struct SinkRequest {
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  /// `name` in lower case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// An endpoint for what a server sends away: HTTP on a free port of 127.0.0.1. Each request, of at
/// most 1 MiB, is taken, kept for next() and answered with 200; while it hangs the answer waits.
///
/// A thread of its own serves, from start() to the destructor. Thread-safe.
class HttpSink {
 public:
  /// Errors: of the sockets.
  static Result<std::unique_ptr<HttpSink>> start();
  HttpSink(const HttpSink&) = delete;
  HttpSink& operator=(const HttpSink&) = delete;
  /// Closes all connections, also those that wait for an answer.
  ~HttpSink();

  /// "http://127.0.0.1:PORT"
  [[nodiscard]] const std::string& url() const { return url_; }

  /// From now on takes requests and does not answer them. Those that next() has given until now are
  /// answered.
  void hang();
  /// Answers again, also what has waited for it.
  void answer();

  /// The oldest request that nobody has asked for. Errors: Errc::timeout.
  Result<SinkRequest> next(client::Deadline deadline);

 private:
  struct Connection {
    UniqueFd fd;
    std::string bytes;  // what came, until it is a request
    bool is_taken = false;
  };

  HttpSink(UniqueFd listener, UniqueFd wake, std::string url);
  void serve(const std::stop_token& stop);
  void wake() const;
  void accept();
  /// One look at what has come. False: the connection is done.
  bool read(Connection& connection);
  /// Returns whether its answer is to wait.
  bool keep(SinkRequest request);
  [[nodiscard]] bool is_hanging() const;

  const UniqueFd listener_;
  const UniqueFd wake_;  // an eventfd: look at what has changed
  const std::string url_;
  std::vector<Connection> connections_;  // of the thread
  mutable Mutex mutex_;
  CondVar arrived_;
  std::deque<SinkRequest> requests_ VIBES_GUARDED_BY(mutex_);
  bool hangs_ VIBES_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace vibes::verify
