// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::consumers {

/// A URL that notifications may be sent to: https, or http to this machine.
struct Endpoint {
  std::string url;
  std::string root;  // without path, query and fragment: "https://ntfy.sh"
  std::string path;  // "/topic"
  enum class Reach : unsigned char { loopback, network } reach = Reach::network;
};

/// Errors: std::errc::invalid_argument, saying what is wrong with it.
Result<Endpoint> parse_endpoint(std::string_view url);

}  // namespace vibes::consumers
