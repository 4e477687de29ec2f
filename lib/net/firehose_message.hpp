// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/limits.hpp"
#include "base/offset.hpp"
#include "base/uuid.hpp"
#include "event/filter.hpp"

namespace vibes::net {

/// What a firehose client may send (docs/protocol.md §2 and §8).
struct SetFilters {
  event::Filter filter;
  event::Reach reach = event::Reach::session;
};
struct FetchOlder {
  std::optional<Uuid> before;
  std::size_t limit = limits::kPageEventsDefault;
};
struct CommitGroup {
  Offset next;
};
struct RejectEvent {
  Offset offset;
  std::string reason;
  unsigned attempts = 1;
};
/// A member of a group is busy with what it was handed, and alive.
struct Working {};
/// What is answered by an `error` frame.
struct BadMessage {
  std::string code;
  std::string message;
};

using FirehoseMessage =
    std::variant<SetFilters, FetchOlder, CommitGroup, RejectEvent, Working, BadMessage>;

FirehoseMessage parse_firehose_message(std::string_view text);

}  // namespace vibes::net
