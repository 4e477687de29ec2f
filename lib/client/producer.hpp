// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "client/http_client.hpp"
#include "client/spool.hpp"
#include "event/event.hpp"

namespace vibes::client {

struct ProducerOptions {
  std::string minimum_ack;  // memory, os, fsync, replicated; empty: whatever the log gives
  std::chrono::milliseconds timeout{10'000};  // for one deliver()
};

/// What became of one event.
struct Receipt {
  /// pending: the server keeps it for an engine that is away; it has no offset yet.
  enum class Fate : std::uint8_t { stored, duplicate, pending, spooled, refused };
  Fate fate = Fate::stored;
  Uuid event_id;
  std::optional<Offset> offset;  // of stored and duplicate events, where the server told it
  std::string durability;        // "fsync"; not of spooled and refused events
  std::optional<Error> refusal;  // of refused ones
};

/// Hands events to the server over HTTP and to the spool while there is no server. What is sent is
/// the events' own bytes; their event_id travels beside them (Idempotency-Key for one, and for
/// several whose ids count up from it; CloudEvents for others), so that sending again after an
/// unknown outcome is safe. Spooled events always go before new ones. One thread at a time.
class Producer {
 public:
  /// Without a spool an unreachable server is an error.
  Producer(Target target, std::optional<Spool> spool, ProducerOptions options);

  /// Each event must have its event_id; about 1 MiB at most per call. One receipt per event, in
  /// order: one that the server refuses does not keep the others back. Errors concern all of them:
  /// unauthorized, rejected (the ack level), queue_full, disk_full, unavailable, spool_full, and
  /// without a spool cannot_connect, connection_lost, timed_out.
  Result<std::vector<Receipt>> deliver(std::span<const event::NewEvent> events);

  /// deliver() in two steps, with something else to do while the server is at work. `events` must
  /// stay until finish(), and no other call comes between the two.
  void begin(std::span<const event::NewEvent> events);
  Result<std::vector<Receipt>> finish();

  /// deliver() by `deadline` and without the spool as a way out: what is spooled, then these
  /// events, are delivered in time, or it is an error. Does not wait while another process drains
  /// the spool: that is Errc::timed_out.
  Result<std::vector<Receipt>> deliver_by(std::span<const event::NewEvent> events,
                                          Deadline deadline);

  /// Another request to the same server, one that may be sent again when nobody knows whether it
  /// arrived. Errors: as HttpClient::send_ok().
  Result<HttpResponse> ask(const HttpRequest& request, Deadline deadline) {
    return exchange(request, deadline);
  }

  /// Delivers what is spooled, if anything. Returns how many events.
  Result<std::uint64_t> drain();

  /// Of the last drain(), deliver()'s own included: how many events went to the log, how many were
  /// refused and set aside.
  [[nodiscard]] std::uint64_t drained() const { return drained_; }
  [[nodiscard]] std::uint64_t set_aside() const { return set_aside_; }
  /// Of the last deliver(): how many of the events the log had already.
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  /// Why the last deliver() went to the spool.
  [[nodiscard]] const std::optional<Error>& unreachable() const { return unreachable_; }

 private:
  /// A delivery that has begun.
  struct Begun {
    std::span<const event::NewEvent> events;
    Result<void> drained;
    HttpRequest request;
    Deadline deadline{};
    std::optional<Result<void>> asked;  // unset: the request was not sent yet
  };
  Result<std::vector<Receipt>> finish(Begun begun);
  Result<std::vector<Receipt>> post(std::span<const event::NewEvent> events, Deadline deadline);
  Result<std::vector<Receipt>> settle(std::span<const event::NewEvent> events,
                                      Result<HttpResponse> response, Deadline deadline);
  Result<std::vector<Receipt>> post_each(std::span<const event::NewEvent> events,
                                         Deadline deadline);
  Result<HttpResponse> exchange(const HttpRequest& request, Deadline deadline,
                                std::optional<Result<void>> asked = {});
  Result<void> deliver_spooled(std::span<const event::NewEvent> batch, Deadline deadline);
  Result<std::vector<Receipt>> to_spool(std::span<const event::NewEvent> events, Error why);

  HttpClient http_;
  std::optional<Spool> spool_;
  ProducerOptions options_;
  std::optional<Begun> begun_;
  std::uint64_t drained_ = 0;
  std::uint64_t set_aside_ = 0;
  std::uint64_t duplicates_ = 0;
  std::optional<Error> unreachable_;
};

}  // namespace vibes::client
