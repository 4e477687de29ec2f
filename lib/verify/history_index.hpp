// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "verify/history.hpp"

namespace vibes::verify {

/// An event as its producer saw it: every sending and every answer put together.
struct Attempt {
  const Append* first = nullptr;  // the first sending; lives in the history
  bool one_connection = true;     // was it only ever sent on first->connection?
  bool acked = false;
  bool pending = false;          // acknowledged, but never with a place
  std::optional<Offset> offset;  // of the first ack that told it
  std::int64_t acked_at = 0;     // that it has a place
  bool refused = false;
  bool unclear = false;

  /// Refused for certain: no other sending of it may have got through.
  [[nodiscard]] bool certainly_absent() const { return refused && !unclear && !acked; }
};

/// A history arranged for lookup. Borrows the history, which must outlive it.
class HistoryIndex {
 public:
  explicit HistoryIndex(const History& history);

  [[nodiscard]] const History& history() const { return history_; }
  /// In the order of first sending.
  [[nodiscard]] const std::vector<Attempt>& attempts() const { return attempts_; }
  [[nodiscard]] const Attempt* attempt(const Uuid& event_id) const;
  /// By its producer's number, as an Answer names it.
  [[nodiscard]] const Attempt* attempt(std::uint32_t producer, std::uint64_t n) const;

  /// The final log in the order of its offsets: the first image there is.
  [[nodiscard]] const std::vector<const Logged*>& log() const { return log_; }
  [[nodiscard]] std::vector<const Logged*> image(Image which) const;
  /// The event at an offset; the first of several.
  [[nodiscard]] const Logged* at(Offset offset) const;
  /// The first place of an event in the log.
  [[nodiscard]] const Logged* find(const Uuid& event_id) const;
  /// Where an attempted event is: as its ack said, else as the log has it.
  [[nodiscard]] std::optional<Offset> place(const Attempt& attempt) const;
  /// One past the last event of the log; without limit where the log is shared and we see only
  /// ours.
  [[nodiscard]] Offset end() const;

  /// The offsets at which a client with these filters must get something, ascending.
  [[nodiscard]] const std::vector<Offset>& matching(const Connect& connect) const;

 private:
  struct Numbers {
    std::size_t operator()(const std::pair<std::uint32_t, std::uint64_t>& key) const {
      return std::hash<std::uint64_t>{}((std::uint64_t{key.first} << 40U) ^ key.second);
    }
  };
  void take_appends();
  void take_answers();

  const History& history_;
  std::vector<Attempt> attempts_;
  std::unordered_map<Uuid, std::size_t> by_id_;
  std::unordered_map<std::pair<std::uint32_t, std::uint64_t>, std::size_t, Numbers> by_number_;
  std::vector<const Logged*> log_;
  std::unordered_map<Uuid, const Logged*> places_;
  mutable std::map<std::pair<std::vector<std::string>, std::string>, std::vector<Offset>> matching_;
};

}  // namespace vibes::verify
