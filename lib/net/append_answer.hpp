// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "eventlog/event_log.hpp"
#include "net/append_query.hpp"

namespace vibes::net {

/// The answers of one append connection that have not been written yet, in the order of its
/// messages. Acks that follow each other become one, so that a client that reads slowly costs no
/// memory; nacks stay single. An ack of pending events is never one with an ack of others, and has
/// their ids instead of offsets: nothing else names them.
class AppendAnswers {
 public:
  explicit AppendAnswers(AckIds ids) : ids_(ids) {}

  /// Events that were appended next to each other by one message or by several.
  struct Acked {
    std::span<const eventlog::AppendReceipt::Place> places;  // at least one
    eventlog::Durability durability = eventlog::Durability::memory;
    bool pending = false;
  };
  void ack(const Acked& acked);
  /// `line` is 0 where the refusal is not about one line.
  void nack(const Error& error, std::size_t line);
  void nack(std::string_view code, std::string_view message);

  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// About what the answers occupy.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Takes answers out as complete frames: at least one, at most limits::kWriteChunkBytes of them
  /// otherwise.
  [[nodiscard]] std::string take_frames();

 private:
  struct Answer {
    std::string nack;  // the whole text; empty: an ack
    bool pending = false;
    Offset first;  // unless pending
    Offset last;   // unless pending
    std::uint64_t count = 0;
    std::uint64_t duplicates = 0;
    eventlog::Durability durability = eventlog::Durability::memory;
    std::vector<Uuid> ids;
  };
  void add_nack(std::string text);
  [[nodiscard]] Answer& open_ack(const Acked& acked);
  [[nodiscard]] bool has_ids(bool pending) const { return pending || ids_ == AckIds::with; }
  [[nodiscard]] std::size_t cost(const Answer& answer) const;
  [[nodiscard]] std::string text(const Answer& answer) const;

  AckIds ids_;
  std::deque<Answer> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace vibes::net
