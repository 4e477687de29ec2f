// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "consumers/notifications/endpoint.hpp"

namespace vibes::consumers {

/// One POST to one endpoint.
struct Delivery {
  Endpoint endpoint;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

/// How a delivery ended.
struct Delivered {
  enum class Kind : std::uint8_t {
    sent,
    gone,      // 404 or 410: nobody is there any more
    refused,   // another 4xx or a redirect: asking again would not help
    given_up,  // after limits::kNotificationAttemptsMax tries
    crowded,   // not tried: too much waits for this endpoint already
  };
  Kind kind = Kind::sent;
  unsigned attempts = 0;
  std::string detail;  // for a person: the status, the error
};

inline std::string_view to_string(Delivered::Kind kind) {
  switch (kind) {
    case Delivered::Kind::sent:
      return "sent";
    case Delivered::Kind::gone:
      return "gone";
    case Delivered::Kind::refused:
      return "refused";
    case Delivered::Kind::given_up:
      return "given_up";
    case Delivered::Kind::crowded:
      return "crowded";
  }
  return "";
}

/// Called once, on a thread of whoever delivers; must not block.
using DeliveryDone = std::function<void(const Delivered&)>;

}  // namespace vibes::consumers
