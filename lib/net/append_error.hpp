// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <system_error>

#include "eventlog/durability.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::net {

/// How a refused append is named on the wire (docs/protocol.md §3): one `code` to switch on, and
/// for an event that is not one the particular `reason`, empty otherwise.
struct AppendErrorName {
  std::string_view code;
  std::string_view reason;
};
AppendErrorName name_append_error(const std::error_code& code);

}  // namespace vibes::net
