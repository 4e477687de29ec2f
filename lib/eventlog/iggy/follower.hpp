// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "eventlog/durability.hpp"
#include "eventlog/iggy/client.hpp"
#include "eventlog/iggy/wire.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// Reads the topic as it grows. Waits in the server where that has long polls, otherwise asks
/// again and again: at once after something was published here, then more and more seldom, up to
/// 20 times a second. follow() belongs to one thread, wake() to all.
class Follower {
 public:
  /// `writer` is who we are among those who ask for their turn.
  Follower(const IggyOptions& options, Session& session, std::string writer)
      : options_(options), client_(options, session), writer_(std::move(writer)) {}

  /// What open() found. Before follow().
  void expect(const Topic& topic, Durability durability);

  /// RemoteStream::follow(). Also Errc::other_settings: the server lost messages that were seen
  /// here, or the topic is another one.
  Result<std::vector<remote::RemoteMessage>> follow(std::uint64_t sequence,
                                                    std::chrono::milliseconds wait,
                                                    const std::stop_token& stop);
  /// Something is in the topic that was not.
  void wake();

 private:
  using Clockwork = std::chrono::steady_clock;
  enum class LongPoll : std::uint8_t { tried, missing };
  struct Page {
    Polled polled;
    bool was_too_large = false;  // ask for less
    std::string foreign;         // why its one message is none of ours
  };
  struct Seen {
    std::uint64_t sequence = 0;
    std::string id;
    std::uint64_t origin_timestamp = 0;
  };

  Result<Page> poll(std::uint64_t sequence, std::chrono::milliseconds wait,
                    const std::stop_token& stop);
  Result<HttpAnswer> ask(std::uint64_t sequence, std::chrono::milliseconds wait,
                         const std::stop_token& stop);
  void adapt(std::size_t messages, std::size_t bytes);
  Page ask_for_less(std::uint64_t sequence, std::string why);
  std::vector<remote::RemoteMessage> take(Page page);
  Result<Polled> look_behind_gap(std::uint64_t sequence, const std::stop_token& stop);
  Result<std::uint64_t> check_nothing_lost(std::uint64_t sequence, const std::stop_token& stop);
  Result<void> check_last_seen(const std::stop_token& stop);
  Result<void> look_around(std::uint64_t sequence, Page& page, const std::stop_token& stop);
  [[nodiscard]] Unexpected lost(std::uint64_t first, std::uint64_t last) const;
  void pause(Clockwork::time_point until, const std::stop_token& stop);

  const IggyOptions& options_;
  Client client_;
  const std::string writer_;
  Topic topic_;
  Durability durability_ = Durability::os;
  LongPoll long_poll_ = LongPoll::tried;
  bool server_waited_ = false;  // in the last poll
  std::size_t count_ = 16;
  std::optional<Seen> seen_;    // the newest message
  std::uint64_t connects_ = 0;  // when it was compared with what the server has
  Clockwork::time_point look_again_at_;
  std::chrono::milliseconds pause_{1};

  Mutex mutex_;
  CondVar changed_;
  std::uint64_t wakes_ VIBES_GUARDED_BY(mutex_) = 0;
  std::uint64_t wakes_seen_ VIBES_GUARDED_BY(mutex_) = 0;
};

}  // namespace vibes::eventlog::iggy
