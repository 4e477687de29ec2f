// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "verify/history.hpp"

namespace vibes::verify {

/// Tells the history of a run by hand. Every step takes a microsecond; the events of producer p are
/// (p, n).
class Story {
 public:
  static Uuid id(std::uint32_t producer, std::uint64_t n) {
    Uuid uuid;
    uuid.bytes[0] = static_cast<std::uint8_t>(producer);
    uuid.bytes[14] = static_cast<std::uint8_t>(n >> 8U);
    uuid.bytes[15] = static_cast<std::uint8_t>(n);
    uuid.bytes[1] = 1;  // never nil
    return uuid;
  }
  static Digest bytes(std::uint32_t producer, std::uint64_t n) {
    return digest_of(std::to_string(producer) + "." + std::to_string(n));
  }

  Story& send(std::uint32_t producer, std::uint64_t n, std::uint32_t connection = 0,
              std::uint64_t batch = 0) {
    history.appends.push_back(
        {producer, connection, n, batch, id(producer, n), bytes(producer, n), "note", "s", tick()});
    return *this;
  }
  Story& ack(std::uint32_t producer, std::uint64_t n, std::uint64_t offset) {
    history.answers.push_back({producer, n, Outcome::ok, Offset(offset), "", tick()});
    return *this;
  }
  Story& ack_pending(std::uint32_t producer, std::uint64_t n) {
    history.answers.push_back({producer, n, Outcome::ok, std::nullopt, "", tick(), true});
    return *this;
  }
  Story& refuse(std::uint32_t producer, std::uint64_t n) {
    history.answers.push_back({producer, n, Outcome::fail, std::nullopt, "invalid_event", tick()});
    return *this;
  }
  Story& no_answer(std::uint32_t producer, std::uint64_t n) {
    history.answers.push_back(
        {producer, n, Outcome::info, std::nullopt, "connection_lost", tick()});
    return *this;
  }
  /// The event is in the final log.
  Story& logged(std::uint64_t offset, std::uint32_t producer, std::uint64_t n,
                const std::string& type = "note", Image image = Image::replay) {
    history.log.push_back({image, Offset(offset), id(producer, n), bytes(producer, n), type, "s"});
    return *this;
  }
  /// Sent, acknowledged and in the log.
  Story& appended(std::uint64_t offset, std::uint32_t producer, std::uint64_t n) {
    return send(producer, n).ack(producer, n, offset).logged(offset, producer, n);
  }
  Story& connect(std::uint32_t client, std::uint32_t connection, std::uint64_t from,
                 std::vector<std::string> types = {}) {
    history.connects.push_back({client, connection, Offset(from), std::move(types), "", tick()});
    return *this;
  }
  Story& connect_live(std::uint32_t client, std::uint32_t connection) {
    history.connects.push_back({client, connection, std::nullopt, {}, "", tick()});
    return *this;
  }
  Story& deliver(std::uint32_t client, std::uint32_t connection, std::uint64_t offset,
                 std::uint32_t producer, std::uint64_t n) {
    history.deliveries.push_back(
        {client, connection, Offset(offset), id(producer, n), bytes(producer, n), tick()});
    return *this;
  }
  Story& position(std::uint32_t client, std::uint32_t connection, std::uint64_t next) {
    history.progress.push_back({client, connection, Offset(next), tick()});
    return *this;
  }
  Story& gap(std::uint32_t client, std::uint32_t connection, std::uint64_t from, std::uint64_t to) {
    history.gaps.push_back({client, connection, Offset(from), Offset(to), tick()});
    return *this;
  }
  Story& finish(std::uint32_t client) {
    history.finishes.push_back({client, tick()});
    return *this;
  }
  Story& join(std::uint64_t from) {
    history.joins.push_back({"g", Offset(from), tick()});
    return *this;
  }
  Story& process(std::uint64_t offset, std::uint32_t producer, std::uint64_t n) {
    history.processed.push_back({"g", Offset(offset), id(producer, n), tick()});
    return *this;
  }
  Story& try_commit(std::uint64_t next) {
    history.commits.push_back({"g", Offset(next), CommitPhase::invoke, tick()});
    return *this;
  }
  Story& commit(std::uint64_t next) {
    try_commit(next);
    history.commits.push_back({"g", Offset(next), CommitPhase::ok, tick()});
    return *this;
  }
  Story& fault() {
    go_down();
    history.faults.push_back({"kill -9", FaultPhase::stop, tick()});
    return *this;
  }
  Story& go_down() {
    history.faults.push_back({"kill -9", FaultPhase::start, tick()});
    history.faults.push_back({"kill -9", FaultPhase::down, tick()});
    return *this;
  }
  Story& recover(std::uint64_t end, std::uint64_t cut = 0, std::uint64_t kept = 0) {
    history.recoveries.push_back({Offset(end), cut, kept, 12, tick()});
    return *this;
  }
  Story& wait_seconds(std::int64_t seconds) {
    now_ += seconds * 1'000'000'000;
    return *this;
  }

  History history;

 private:
  std::int64_t tick() { return now_ += 1'000; }
  std::int64_t now_ = 0;
};

}  // namespace vibes::verify
