// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "net/connection.hpp"

namespace vibes::net {

/// The two steps of a WebSocket route. A plan_…() function checks the request's query before the
/// upgrade is answered and returns a maker, or the reason to refuse; the maker is called once, when
/// the upgrade has been accepted and the connection exists. A maker that is never called costs
/// nothing.
///
/// How a plan's error becomes an HTTP answer: event::Errc::cursor_mismatch is 409
/// `cursor_mismatch`, std::errc::invalid_argument is 400 `bad_query`, anything else is a failing
/// log, 503. Error::context is the message.
using EndpointMaker = std::function<std::unique_ptr<Endpoint>(Connection&)>;

}  // namespace vibes::net
