// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <nats/nats.h>

#include "base/result.hpp"

namespace vibes::eventlog::nats {

/// What libnats says of the last call of this thread that failed with `status`.
std::string text_of(natsStatus status);

/// A request that came to nothing: Errc::unauthorized where that is why, else unreachable.
/// `js_error` is 0 where the server said none.
Unexpected request_failed(std::string_view what, natsStatus status, int js_error = 0);

/// What the answer to a publish means that is not "taken": the code is one that
/// RemoteStream::Published has.
Error publish_failed(natsStatus status, int js_error, std::string_view text);

}  // namespace vibes::eventlog::nats
