// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "client/waker.hpp"

namespace vibes::client {

/// How the server ended a WebSocket: its code (1006 if it sent none) and reason.
struct CloseStatus {
  std::uint16_t code = 1006;
  std::string reason;
};

/// One WebSocket connection over libwebsockets, driven only from inside its own calls: while none
/// runs nothing is read, written or answered. So a client that must not read (a slow one) simply
/// does not call, and one that is busy elsewhere for more than limits::kPingEvery calls service()
/// now and then.
///
/// One thread at a time, except wake(). Movable; a moved-from object may only be destroyed.
class WebSocket {
 public:
  /// Connects to `path` (with its query, percent-encoded). Errors: cannot_connect, timed_out, and
  /// for an upgrade that is refused what errc_of() says of its status, with the server's message
  /// where it sent one.
  static Result<WebSocket> connect(const Target& target, std::string_view path, Deadline deadline);
  /// The same with a waker that outlives this connection, so that one wakes the connections that
  /// follow each other, connecting included. Shared because the thread that wakes may hold it
  /// longer than we live.
  static Result<WebSocket> connect(const Target& target, std::string_view path, Deadline deadline,
                                   std::shared_ptr<Waker> waker);

  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;
  /// Drops the connection; close() is the polite way.
  ~WebSocket();

  /// Queues one text message and writes what the socket takes without waiting. When more than 1 MiB
  /// is queued already, waits until `deadline` for it to drain first; on timed_out the message was
  /// not taken. Errors: timed_out, woken, connection_lost, closed.
  Result<void> send(std::string_view text, Deadline deadline);
  /// Waits until everything queued has been handed to the kernel.
  Result<void> flush(Deadline deadline);

  /// The next complete message; the view lives until the next call. Messages already received come
  /// out even if the connection has ended since. Errors: timed_out, woken; when it has ended and
  /// nothing is left: closed if the server said 1000 or 45xx, unauthorized for 1008, else
  /// connection_lost; see close_status().
  Result<std::string_view> receive(Deadline deadline);

  /// Lets the connection live (pongs, writes, up to 1 MiB of reads) until `deadline` or wake(),
  /// whichever is first, without taking a message. Errors: as receive(), but reaching the deadline
  /// is success.
  Result<void> service(Deadline deadline);

  /// Sends a close frame (1000) and waits for the server's.
  Result<void> close(Deadline deadline);

  /// Set once the server has ended the connection.
  [[nodiscard]] const std::optional<CloseStatus>& close_status() const;
  /// Bytes queued by send() that the kernel has not taken.
  [[nodiscard]] std::size_t queued_bytes() const;

  /// Makes the call that waits now, or the next one that would wait, return Errc::woken.
  /// Thread-safe.
  void wake() noexcept;

 private:
  class Impl;
  explicit WebSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vibes::client
