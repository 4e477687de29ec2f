// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "verify/history.hpp"

namespace vibes::verify {

/// Which part of a log.
struct LogPart {
  Offset from;
  std::string session;  // empty: all
};

/// The log as a fresh client sees it, to what is its end at that moment.
Result<std::vector<Logged>> read_log(const client::Target& target, Image image, const LogPart& part,
                                     client::Deadline deadline);

/// What a stored event is, for the checker. `payload` as stored.
Logged logged_event(Image image, Offset offset, const Uuid& event_id, std::string_view payload);

}  // namespace vibes::verify
