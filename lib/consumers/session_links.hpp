// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "event/event.hpp"
#include "event/filter.hpp"
#include "event/payload_fwd.hpp"
#include "event/session_link.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers {

/// Which sessions belong together, as the log's `session_linked` events say. Thread-safe.
///
/// Whoever asks sees every link that the log holds at that moment, so that a reader which meets an
/// event of a linked session knows the link, too. A thread reads the log in the background, so that
/// who asks finds little left to read; where it has not come to the end of a long log yet, that may
/// be more.
class SessionLinks {
 public:
  /// The log must outlive this. Begins to read; nobody has to wait for it.
  explicit SessionLinks(eventlog::EventLog& log);
  SessionLinks(const SessionLinks&) = delete;
  SessionLinks& operator=(const SessionLinks&) = delete;
  ~SessionLinks();

  /// Makes the session of `filter`, if it names one, stand for all that are linked with it, now and
  /// later. The filter must not outlive this.
  void widen(event::Filter& filter, event::Reach reach);

  using Sessions = std::set<std::string, std::less<>>;
  /// `session` and what is linked with it: other names of the same work; with Reach::tree also what
  /// any of these started, and so on.
  Sessions related(const std::string& session, event::Reach reach);

 private:
  class Scope;
  /// How another session is seen from the one whose edge this is.
  enum class Kind : std::uint8_t { same, child };
  using Edges = std::set<std::pair<std::string, Kind>>;

  void catch_up();
  bool step();
  Result<void> read_slice() VIBES_REQUIRES(mutex_);
  void take(const event::EventView& linked, event::PayloadReader& payloads) VIBES_REQUIRES(mutex_);
  void add(const event::SessionLink& link) VIBES_REQUIRES(mutex_);
  void follow(const std::stop_token& stop);

  eventlog::EventLog& log_;
  const event::Filter only_links_;
  std::atomic<std::uint64_t> position_{0};
  std::atomic<std::uint64_t> version_{0};  // changes with every link
  Mutex mutex_;
  std::unique_ptr<eventlog::Reader> reader_ VIBES_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Edges> edges_ VIBES_GUARDED_BY(mutex_);
  std::size_t links_ VIBES_GUARDED_BY(mutex_) = 0;
  std::jthread thread_;
};

}  // namespace vibes::consumers
