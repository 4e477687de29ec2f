// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "base/limits.hpp"
#include "base/result.hpp"

namespace vibes::eventlog::iggy {

struct HttpRequest {
  enum class Method : std::uint8_t { get, post, remove };
  Method method = Method::get;
  std::string path;  // with its query
  std::string body = {};
  std::chrono::milliseconds within = limits::kEngineRequestWithin;
  std::size_t answer_bytes_max = 1 * limits::kMiB;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::chrono::seconds retry_after{0};
};

/// Why there is no answer.
struct HttpFailure {
  enum class Kind : std::uint8_t {
    not_sent,   // the server was not reached
    unknown,    // it may have the request
    too_large,  // the answer
    stopped,
  };
  Kind kind = Kind::not_sent;
  std::string why;
};

/// Requests to one server, one at a time, over a connection that stays open. For one thread.
class HttpConnection {
 public:
  /// `base` is "http://host:port".
  explicit HttpConnection(std::string base);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  /// Exactly one of the two is filled.
  struct Outcome {
    std::optional<HttpAnswer> answer;
    HttpFailure failure;
  };
  /// `token` (empty: none) says who we are. Ends at once when `stop` is requested.
  Outcome perform(const HttpRequest& request, std::string_view token, const std::stop_token& stop);

  /// How often a connection was made: what the server said over an earlier one, another server may
  /// have said.
  [[nodiscard]] std::uint64_t connects() const { return connects_; }

 private:
  using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

  static std::size_t take(const char* bytes, std::size_t size, std::size_t count, void* self);
  void set_up(const HttpRequest& request, const Headers& headers);
  std::optional<CURLcode> run(const std::stop_token& stop);
  Outcome outcome(CURLcode code);

  const std::string base_;
  std::unique_ptr<CURL, void (*)(CURL*)> easy_;
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_;
  std::string body_;
  std::size_t body_bytes_max_ = 0;
  std::uint64_t connects_ = 0;
  bool refused_body_ = false;  // the connection is of no use any more, whatever the server says
};

}  // namespace vibes::eventlog::iggy
