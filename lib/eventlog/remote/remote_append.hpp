// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "event/event.hpp"
#include "eventlog/remote/ack_queue.hpp"

namespace vibes::eventlog::remote {

/// One append() on its way into the stream.
struct RemoteAppend {
  /// Who waits for the answer; the two have queues of their own, so that neither waits for the
  /// other's.
  enum class Source : std::uint8_t { client, outbox };

  std::vector<event::NewEvent> events;
  Source source = Source::client;
  AckQueue::Ticket ticket = 0;
  std::size_t bytes = 0;
  std::optional<Timestamp> recorded;  // when another log recorded them
  bool offered = false;               // to the engine, at some time
  bool alone = false;                 // in its message: one that it shared was refused
};

/// What a message with these events takes, where each of several has an overhead.
std::size_t message_bytes(const std::vector<event::NewEvent>& events, std::size_t overhead);

/// Whether they may be in one message, which has one time, and one session to be found by.
bool go_together(const RemoteAppend& one, const RemoteAppend& other);

}  // namespace vibes::eventlog::remote
