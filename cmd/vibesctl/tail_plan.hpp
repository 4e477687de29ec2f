// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "client/tail_client.hpp"
#include "tail_options.hpp"

namespace vibes::ctl {

/// What the options of `tail` come to.
struct TailPlan {
  client::Target target;
  client::TailOptions client;
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::chrono::milliseconds> idle;
  /// Stop at what is the end when the first connection is made, found out here: a server that ends
  /// the stream itself would not wait for a group's last commit.
  bool stop_at_end = false;
};

/// Reads the cursor file and, for -n with a filter, asks the server where to start. Errors:
/// std::errc::invalid_argument for an option that makes no sense, else those of the client.
Result<TailPlan> plan_tail(const Session& session, const TailOptions& options);

}  // namespace vibes::ctl
