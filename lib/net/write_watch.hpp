// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "net/connection.hpp"

namespace vibes::net {

/// A point on Clock::steady_ns().
using SteadyNs = std::int64_t;

/// Asks a connection for writability and notes since when the socket has taken nothing: a client
/// that makes no progress for limits::kReaderStalledAfter is given up. Multiplexes the connection's
/// one timer between that and the endpoint's own deadline. Belongs to the connection's thread.
class WriteWatch {
 public:
  WriteWatch(Connection& connection, const Clock& clock) : connection_(connection), clock_(clock) {}

  [[nodiscard]] SteadyNs now() const { return clock_.steady_ns(); }

  /// Asks for on_writable(), once until it comes.
  void ask();
  /// To be called first in on_writable().
  void writable() { waiting_since_.reset(); }
  /// Whether the socket has been asked and has not answered yet.
  [[nodiscard]] bool waiting() const { return waiting_since_.has_value(); }
  [[nodiscard]] bool stalled() const;

  /// The endpoint's own next deadline; nullopt: none.
  void set_deadline(std::optional<SteadyNs> deadline);
  /// To be called first in on_timer(). True: the endpoint's own deadline is due, and has been taken
  /// away.
  bool timer_fired();

 private:
  void arm();

  Connection& connection_;
  const Clock& clock_;
  std::optional<SteadyNs> waiting_since_;
  std::optional<SteadyNs> deadline_;
  std::optional<SteadyNs> armed_for_;
};

}  // namespace vibes::net
