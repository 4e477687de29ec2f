// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "net/http.hpp"
#include "net/lws_fwd.hpp"

namespace vibes::net {

/// Copies what we need of the request that libwebsockets has just parsed. Nothing: a method that is
/// not ours.
std::optional<RequestHead> read_request_head(lws* wsi);

}  // namespace vibes::net
