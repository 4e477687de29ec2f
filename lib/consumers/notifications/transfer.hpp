// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "consumers/notifications/delivery.hpp"

namespace vibes::consumers {

/// One request under way: a curl handle and what it points into. Stays where it is. One thread.
class Transfer {
 public:
  /// Borrows `delivery`.
  Transfer(const Delivery& delivery, std::chrono::milliseconds within);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  [[nodiscard]] CURL* easy() const { return easy_.get(); }

  /// What one try came to.
  struct Answer {
    long status = 0;  // 0: none came
    std::chrono::seconds retry_after{0};
    std::string error;  // empty if a status came
  };
  [[nodiscard]] Answer answer(CURLcode code) const;

 private:
  static std::size_t take(const char* bytes, std::size_t size, std::size_t count, void* self);
  void set_up(const Delivery& delivery, std::chrono::milliseconds within);

  std::unique_ptr<CURL, void (*)(CURL*)> easy_{::curl_easy_init(), ::curl_easy_cleanup};
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_{nullptr, ::curl_slist_free_all};
  std::size_t read_ = 0;
};

}  // namespace vibes::consumers
