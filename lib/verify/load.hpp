// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "client/append_client.hpp"
#include "verify/recorder.hpp"

namespace vibes::verify {

struct LoadOptions {
  std::uint32_t producer = 0;
  std::string session;
  std::string type = "verify";
  std::uint64_t seed = 0;
  enum class Sizes : std::uint8_t {
    small,  // about 200 bytes
    mixed,  // also the ones around block and page sizes, and some of 64 KiB
  };
  Sizes sizes = Sizes::mixed;
};

/// A producer that numbers its events, gives each its own event_id, and writes down what it sent
/// and what it heard. One thread at a time.
class Load {
 public:
  Load(client::Target target, Recorder& recorder, LoadOptions options);

  Result<void> connect(client::Deadline deadline);
  /// Sends one atomic batch of `count` new events without waiting for its answer.
  Result<void> send(std::size_t count, client::Deadline deadline);
  /// Takes one answer, which may be about several messages.
  Result<void> take(client::Deadline deadline);
  /// Takes answers until at most `unanswered` messages wait for theirs.
  Result<void> settle(std::size_t unanswered, client::Deadline deadline);

  /// The connection is gone: whatever is unanswered has an unknown fate.
  void lose();
  /// Connects again and sends everything of unknown fate once more, under the same ids.
  Result<void> recover(client::Target target, client::Deadline deadline);

  [[nodiscard]] std::uint64_t sent() const { return next_n_; }
  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  [[nodiscard]] std::size_t unanswered() const { return pending_.size(); }
  /// One past the last offset this producer knows to be its own.
  [[nodiscard]] Offset end() const { return end_; }

 private:
  struct Message {
    std::uint64_t first_n = 0;
    std::uint64_t events = 0;
    std::string text;
  };
  std::string make_event(std::uint64_t n, std::uint64_t batch);
  std::size_t pick_size();
  void note(const client::Ack& ack);
  void note(const client::Nack& nack);

  client::Target target_;
  Recorder& recorder_;
  LoadOptions options_;
  std::mt19937_64 random_;
  UuidV7Generator ids_;
  std::optional<client::AppendClient> client_;
  std::uint32_t connection_ = 0;
  std::deque<Message> pending_;
  std::deque<Append> recent_;  // the sendings of what is pending, to be noted again
  std::uint64_t next_n_ = 0;
  std::uint64_t next_batch_ = 1;
  std::uint64_t acked_ = 0;
  Offset end_;
};

}  // namespace vibes::verify
