// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "verify/history.hpp"

namespace vibes::verify {

/// The whole log as a fresh client sees it, from the beginning to what is its end at that moment.
/// `query` narrows it: "session=s1".
Result<std::vector<Logged>> read_log(const client::Target& target, Image image,
                                     const std::string& query, client::Deadline deadline);

/// What a stored event is, for the checker. `payload` as stored.
Logged logged_event(Image image, Offset offset, const Uuid& event_id, std::string_view payload);

}  // namespace vibes::verify
