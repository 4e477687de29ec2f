// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "net/append_query.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// The answer of an append over HTTP that was refused. `line`: of the event in its batch, 0: none.
Response append_error(const Error& error, std::size_t line = 0);
/// The status of an append that the log took: 202 where its events are pending.
int receipt_status(const eventlog::AppendReceipt& receipt);
/// The answer of one that the log took. Pending events are always named, for they have no offsets.
Response receipt_response(const eventlog::AppendReceipt& receipt, AckIds ids = AckIds::with);

}  // namespace vibes::net
