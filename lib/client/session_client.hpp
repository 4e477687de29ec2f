// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "client/web_socket.hpp"

namespace vibes::client {

struct WindowSize {
  unsigned cols = 0;
  unsigned rows = 0;
  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

/// The session to attach to.
struct AttachRequest {
  enum class IfMissing : std::uint8_t { create, refuse };
  std::string id;
  IfMissing if_missing = IfMissing::refuse;
  std::optional<WindowSize> size;  // of our terminal; without one the session keeps its own
  // Of a session that is created.
  std::string name;
  std::string parent;                // the session it is started in; empty: none
  std::string cwd;                   // absolute; empty: the server's choice
  std::vector<std::string> command;  // argv; empty: the server's --session-command
};

// What next() gives, of the one session attached to.

struct Attached {
  WindowSize size;
};
struct Output {
  std::string bytes;
  bool is_replay = false;  // what came before the attach, or a redraw
};
struct Exited {
  std::optional<int> code;
  std::optional<int> signal;
};
struct Removed {
  std::string reason;
};
struct Refused {  // of any request; an attach is over then
  std::string code;
  std::string message;
};

using SessionMessage = std::variant<Attached, Output, Exited, Removed, Refused>;

/// A client of one terminal session on /ws. One thread at a time, except for its waker.
class SessionClient {
 public:
  /// Connects and asks for the session; the answer is the first message, Attached or Refused.
  /// `waker` ends the waits of this client and of the next one that is given it. Errors: as
  /// WebSocket::connect().
  static Result<SessionClient> attach(const Target& target, const AttachRequest& request,
                                      Deadline deadline, std::shared_ptr<Waker> waker);

  /// Asks for the same session again over the same connection: Attached comes once more, and behind
  /// the next resize what is on its screen, as a replay. Errors: as WebSocket::send().
  Result<void> attach_again(const AttachRequest& request, Deadline deadline);

  /// The next message; those of other sessions are passed over. Errors: as WebSocket::receive(),
  /// and bad_answer.
  Result<SessionMessage> next(Deadline deadline);

  /// What was typed, at most limits::kPtyInputBytesMax. Errors of these: as WebSocket::send(); then
  /// nothing of it was taken.
  Result<void> input(std::string_view bytes, Deadline deadline);
  /// The first one after the attach also brings the replay.
  Result<void> resize(WindowSize size, Deadline deadline);
  /// Of both, what the kernel has not taken.
  [[nodiscard]] std::size_t queued_bytes() const { return socket_.queued_bytes(); }
  /// Ends the connection politely; the session goes on.
  void close(Deadline deadline) { (void)socket_.close(deadline); }

 private:
  SessionClient(std::string id, WebSocket socket)
      : id_(std::move(id)), socket_(std::move(socket)) {}

  std::string id_;
  WebSocket socket_;
};

}  // namespace vibes::client
