// SPDX-License-Identifier: MIT
#include "eventlog/iggy/http.hpp"

#include <utility>

#include "base/assert.hpp"

namespace vibes::eventlog::iggy {
namespace {

constexpr int kPollMs = 100;
constexpr long kConnectWithinMs = 3'000;
constexpr long kContentTooLarge = 413;

HttpFailure::Kind kind_of(CURLcode code, CURL* easy) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return HttpFailure::Kind::not_sent;
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t sent = 0;
      (void)::curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
      return sent == 0 ? HttpFailure::Kind::not_sent : HttpFailure::Kind::unknown;
    }
    default:
      return HttpFailure::Kind::unknown;
  }
}

}  // namespace

HttpConnection::HttpConnection(std::string base)
    : base_(std::move(base)),
      easy_(::curl_easy_init(), ::curl_easy_cleanup),
      multi_(::curl_multi_init(), ::curl_multi_cleanup) {
  VIBES_ASSERT(easy_ != nullptr && multi_ != nullptr);
}

HttpConnection::~HttpConnection() = default;

void HttpConnection::set_up(const HttpRequest& request, const Headers& headers) {
  CURL* easy = easy_.get();
  ::curl_easy_reset(easy);  // not its connection
  const std::string url = base_ + request.path;
  (void)::curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  (void)::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  (void)::curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  (void)::curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  (void)::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  (void)::curl_easy_setopt(easy, CURLOPT_USERAGENT, "vibes-server");
  (void)::curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  (void)::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectWithinMs);
  (void)::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.within.count()));
  (void)::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  (void)::curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, refused_body_ ? 1L : 0L);
  if (request.method == HttpRequest::Method::post) {
    (void)::curl_easy_setopt(easy, CURLOPT_POST, 1L);
    (void)::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    (void)::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method == HttpRequest::Method::remove) {
    (void)::curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
  }
  (void)::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpConnection::take);
  (void)::curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

std::size_t HttpConnection::take(const char* bytes, std::size_t size, std::size_t count,
                                 void* self) {
  auto& connection = *static_cast<HttpConnection*>(self);
  const std::size_t more = size * count;
  if (more > connection.body_bytes_max_ - connection.body_.size()) {
    return 0;
  }
  connection.body_.append(bytes, more);
  return more;
}

/// Nothing: it was stopped.
std::optional<CURLcode> HttpConnection::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { (void)::curl_multi_wakeup(multi_.get()); });
  (void)::curl_multi_add_handle(multi_.get(), easy_.get());
  int running = 1;
  while (running != 0 && !stop.stop_requested()) {
    if (::curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
      break;
    }
    if (running != 0) {
      (void)::curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
    }
  }
  std::optional<CURLcode> code;
  int left = 0;
  while (const CURLMsg* message = ::curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) {
      code = message->data.result;
    }
  }
  (void)::curl_multi_remove_handle(multi_.get(), easy_.get());
  return code;
}

HttpConnection::Outcome HttpConnection::outcome(CURLcode code) {
  long connects = 0;
  (void)::curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  connects_ += static_cast<std::uint64_t>(connects);
  Outcome outcome;
  if (code == CURLE_WRITE_ERROR) {
    outcome.failure = {HttpFailure::Kind::too_large, "the answer is too large"};
    return outcome;
  }
  if (code != CURLE_OK) {
    outcome.failure = {kind_of(code, easy_.get()), ::curl_easy_strerror(code)};
    return outcome;
  }
  HttpAnswer answer;
  (void)::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t seconds = 0;
  (void)::curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
  answer.retry_after = std::chrono::seconds(seconds);
  answer.body = std::move(body_);
  refused_body_ = answer.status == kContentTooLarge;
  outcome.answer = std::move(answer);
  return outcome;
}

HttpConnection::Outcome HttpConnection::perform(const HttpRequest& request, std::string_view token,
                                                const std::stop_token& stop) {
  // Without a body of its own kind curl would wait for "100 Continue".
  Headers headers(::curl_slist_append(nullptr, "Expect:"), ::curl_slist_free_all);
  (void)::curl_slist_append(headers.get(), "Content-Type: application/json");
  if (!token.empty()) {
    const std::string bearer = "Authorization: Bearer " + std::string(token);
    (void)::curl_slist_append(headers.get(), bearer.c_str());
  }
  body_.clear();
  body_bytes_max_ = request.answer_bytes_max;
  set_up(request, headers);
  const auto code = run(stop);
  if (!code) {
    return {std::nullopt, {HttpFailure::Kind::stopped, "the request was broken off"}};
  }
  return outcome(*code);
}

}  // namespace vibes::eventlog::iggy
