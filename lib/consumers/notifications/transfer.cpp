// SPDX-License-Identifier: MIT
#include "consumers/notifications/transfer.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vibes::consumers {

Transfer::Transfer(const Delivery& delivery, std::chrono::milliseconds within) {
  VIBES_ASSERT(easy_ != nullptr);
  // Without a body of its own kind curl would wait for "100 Continue".
  headers_.reset(::curl_slist_append(nullptr, "Expect:"));
  for (const std::string& header : delivery.headers) {
    (void)::curl_slist_append(headers_.get(), header.c_str());
  }
  set_up(delivery, within);
}

void Transfer::set_up(const Delivery& delivery, std::chrono::milliseconds within) {
  CURL* easy = easy_.get();
  (void)::curl_easy_setopt(easy, CURLOPT_URL, delivery.endpoint.url.c_str());
  (void)::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  (void)::curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  (void)::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  (void)::curl_easy_setopt(easy, CURLOPT_USERAGENT, "vibes-server");
  (void)::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(within.count()));
  (void)::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  (void)::curl_easy_setopt(easy, CURLOPT_POST, 1L);
  (void)::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, delivery.body.data());
  (void)::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                           static_cast<curl_off_t>(delivery.body.size()));
  (void)::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::take);
  (void)::curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (delivery.endpoint.reach == Endpoint::Reach::loopback) {
    (void)::curl_easy_setopt(easy, CURLOPT_PROXY, "");  // a proxy has another loopback
  }
}

/// Nobody reads what an endpoint says; a long answer is broken off.
std::size_t Transfer::take(const char* /*bytes*/, std::size_t size, std::size_t count, void* self) {
  auto& read = static_cast<Transfer*>(self)->read_;
  read += size * count;
  return read > limits::kNotificationAnswerBytesMax ? 0 : size * count;
}

Transfer::Answer Transfer::answer(CURLcode code) const {
  Answer answer;
  const bool broken_off = code == CURLE_WRITE_ERROR && read_ > limits::kNotificationAnswerBytesMax;
  if (code != CURLE_OK && !broken_off) {
    answer.error = ::curl_easy_strerror(code);
    return answer;
  }
  (void)::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t seconds = 0;
  (void)::curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
  answer.retry_after = std::chrono::seconds(seconds);
  return answer;
}

}  // namespace vibes::consumers
