// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "client/frame_reader.hpp"
#include "client/web_socket.hpp"
#include "verify/recorder.hpp"

namespace vibes::verify {

struct WatchOptions {
  std::uint32_t client = 0;
  std::string query;  // of the request: "types=session&session=s1"; batch=1 is added
  // What that means, for the checker, in exact types and without the server's idea of categories.
  std::vector<std::string> types;
  std::string session;
  std::string group;  // a consumer group to be a member of
  /// Called for every event, before take() returns.
  std::function<void(const client::TailEvent&)> on_event;
};

/// A firehose client that writes down every frame as it comes. Unlike client::TailClient it repairs
/// nothing: what the server sends twice is seen twice. One thread at a time.
class Watcher {
 public:
  Watcher(client::Target target, Recorder& recorder, WatchOptions options);

  /// Connects at `from` (docs/protocol.md §2) and waits for the hello. Errors: as
  /// client::WebSocket.
  Result<void> connect(const std::string& from, client::Deadline deadline);
  /// Takes one message. Errors: as client::WebSocket::receive(), and an error the server sent.
  Result<void> take(client::Deadline deadline);
  /// Takes messages until next() reaches `end`, or the server says that everything was sent.
  Result<void> take_to(Offset end, client::Deadline deadline);
  /// Drops the connection without a word, as a client that crashes does.
  void drop();
  void set_target(client::Target target) { target_ = std::move(target); }

  [[nodiscard]] Offset next() const {
    return next_;
  }  // everything below was seen or does not match
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] bool ended() const { return ended_; }  // `until` was reached
  [[nodiscard]] const std::string& cursor() const {
    return cursor_;
  }  // of the last hello or position
  [[nodiscard]] client::WebSocket& socket() { return *socket_; }

  /// For a group: everything before `next` is done. Waits until the server says so.
  Result<void> commit(Offset next, client::Deadline deadline);

 private:
  Result<void> handle(const client::Frame& frame);
  void note(const client::HelloFrame& frame);
  void note(const client::Events& events);
  void note(const client::PositionFrame& frame);
  void note(const client::GapReport& gap);

  client::Target target_;
  Recorder& recorder_;
  WatchOptions options_;
  client::FrameReader reader_;
  std::optional<client::WebSocket> socket_;
  std::uint32_t connection_ = 0;
  std::optional<Offset> asked_;  // the offset given to connect(), if it was one
  Offset next_;
  std::uint64_t seen_ = 0;
  bool ended_ = false;
  bool greeted_ = false;
  std::optional<Offset> committed_;
  std::string cursor_;
};

}  // namespace vibes::verify
