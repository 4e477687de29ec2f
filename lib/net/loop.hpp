// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "net/auth.hpp"
#include "net/host_origin.hpp"
#include "net/lws_fwd.hpp"
#include "net/router.hpp"
#include "net/task_queue.hpp"
#include "net/timer_queue.hpp"

namespace vibes::net {

class Peer;

/// How long things may take. Tests set shorter ones.
struct Deadlines {
  std::chrono::milliseconds headers = limits::kHeadersWithin;
  std::chrono::milliseconds request = limits::kRequestWithin;
  /// A body must bring limits::kBodyBytesPerSecondMin for every second of each such span.
  std::chrono::milliseconds body_span = limits::kBodySpan;
  std::chrono::milliseconds message = limits::kMessageWithin;
  std::chrono::milliseconds ping = limits::kPingEvery;
  std::chrono::milliseconds hang_up = limits::kHangUpAfter;
  std::chrono::milliseconds stalled = limits::kReaderStalledAfter;
  /// For a peer to take our close and to answer it.
  std::chrono::milliseconds close = limits::kCloseWithin;
};

/// How many connections there are, over all net threads. Thread-safe.
struct ConnectionCounts {
  std::atomic<std::size_t> total{0};
  std::atomic<std::size_t> unauthenticated{0};
};

/// What all net threads read. It outlives them and does not change while they run.
struct LoopContext {
  Router router;
  HostRules host_rules;
  const Token* token = nullptr;  // nullptr: --auth none
  Deadlines deadlines;
  TaskQueue::Limits task_limits;
  ConnectionCounts counts;
  /// Called on a net thread after the log has moved, before its connections hear of it.
  std::function<void()> before_log_moved;
  /// Called on a net thread when all that its sockets held was handed over, before it waits for
  /// more.
  std::function<void()> after_input;
};

/// A net thread: one libwebsockets context and the connections it owns. Sockets are accepted
/// elsewhere and handed in.
class Loop {
 public:
  explicit Loop(LoopContext& context);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Stops hard if stop() has not come to its end.
  ~Loop();

  /// Starts the thread. Errors: libwebsockets cannot make its context.
  Result<void> start();

  // From any thread.

  /// Takes over an accepted socket, which has been counted in ConnectionCounts::total already, and,
  /// unless it is a unix socket, in `unauthenticated`.
  void adopt(UniqueFd socket, Transport transport);
  /// The log's end moved. Wakes the thread unless nobody here would look at it.
  void log_moved();
  /// Hangs up on connections that have been here for a while without showing a token, to make room
  /// for others.
  void evict_strangers();
  /// Asks the connections to finish. The thread ends when they have, or after `within`.
  void stop(std::chrono::milliseconds within);
  /// Waits for the thread.
  void join();
  [[nodiscard]] std::size_t connections() const { return connections_.load(); }

  // On the net thread, for the connections.

  [[nodiscard]] LoopContext& context() { return context_; }
  [[nodiscard]] lws_context* lws() { return lws_; }
  [[nodiscard]] TimerQueue& timers() { return *timers_; }
  [[nodiscard]] const std::shared_ptr<TaskQueue>& tasks() { return tasks_; }
  [[nodiscard]] bool on_this_thread() const { return std::this_thread::get_id() == thread_id_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  void remove(Peer& peer);
  /// libwebsockets tells us that the thread was woken.
  void on_woken();
  /// Its endpoint is told when the turn ends.
  void note_input(Peer& peer);
  /// It has input that is in no socket any more.
  void note_left_over(Peer& peer);
  /// Its endpoint writes when the turn ends. False: there is no such end to come, ask
  /// libwebsockets.
  bool note_write(Peer& peer);

 private:
  void run();
  bool take_turn();
  bool read_left_over();
  void end_turn();
  void write_out();
  void uncount(Transport transport);
  void hang_up_on_lost();
  void adopt_now(UniqueFd socket, Transport transport);
  void begin_stop(std::chrono::milliseconds within);
  void signal();

  LoopContext& context_;
  lws_context* lws_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  std::shared_ptr<TaskQueue> tasks_;  // shared with posters, which outlive connections and loops
  struct WakeTimer;
  std::unique_ptr<WakeTimer> wake_timer_;
  std::unique_ptr<TimerQueue> timers_;
  std::unique_ptr<Timer> stop_timer_;
  std::list<std::unique_ptr<Peer>> peers_;
  std::vector<Peer*> with_input_;  // in this turn
  std::vector<Peer*> with_left_over_;
  std::vector<Peer*> want_to_write_;  // at its end, in the order in which they asked
  bool writing_out_ = false;
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> log_moved_{false};
  bool stopping_ = false;
  bool ended_ = false;
  std::thread::id thread_id_;
  std::jthread thread_;
};

}  // namespace vibes::net
