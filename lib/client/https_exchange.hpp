// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "client/http_client.hpp"

namespace vibes::client {

/// One request over TLS by libwebsockets, which checks the server's certificate against the
/// system's roots. A connection of its own.
Result<HttpResponse> https_exchange(const Target& target, const HttpRequest& request,
                                    Deadline deadline);

}  // namespace vibes::client
