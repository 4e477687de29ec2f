// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"

namespace vibes::client {

/// Why the server refused to upgrade `path` with `status`. libwebsockets keeps the answer's body to
/// itself, so the same request is made once more by hand to read what the server said; where that
/// does not help the status alone decides.
Error reason_of_refusal(const Target& target, std::string_view path, int status, Deadline deadline);

}  // namespace vibes::client
