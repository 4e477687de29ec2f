// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "net/connection.hpp"
#include "net/endpoint_maker.hpp"
#include "net/lws_fwd.hpp"
#include "net/task_queue.hpp"
#include "net/timer_queue.hpp"

namespace vibes::net {

class Peer;

/// Whether an object of a net thread still exists, as seen by tasks that other threads leave for
/// it.
struct Lifeline {
  explicit Lifeline(std::shared_ptr<TaskQueue> the_tasks) : tasks(std::move(the_tasks)) {}

  const std::shared_ptr<TaskQueue> tasks;
  bool alive = true;  // of the net thread
  /// A task was refused, so that the object misses something: its connection must end.
  std::atomic<bool> lost{false};

  static Connection::Poster poster(const std::shared_ptr<Lifeline>& life);
  static Connection::Poster quiet_poster(const std::shared_ptr<Lifeline>& life);
};

/// What WebSockets and streamed HTTP answers have in common: an endpoint, its timer, its posters,
/// and the watch over a peer that does not read.
class SocketConnection : public Connection {
 public:
  explicit SocketConnection(Peer& peer);
  ~SocketConnection() override;

  void open(const EndpointMaker& maker);
  void on_log_moved();
  void on_input_end();
  void on_stop();
  /// The turn of the net thread ends, and the endpoint wants to write.
  virtual void write_now() { ask_for_writable(); }
  /// The connection has ended: tells the endpoint, once, and lets go of it.
  void end();
  [[nodiscard]] bool is_lost() const { return life_->lost.load(); }

  void request_write() override;
  void set_timer(std::optional<std::chrono::milliseconds> delay) override;
  [[nodiscard]] Poster poster() override { return Lifeline::poster(life_); }
  [[nodiscard]] Poster quiet_poster() override { return Lifeline::quiet_poster(life_); }

 protected:
  [[nodiscard]] Peer& peer() { return peer_; }
  [[nodiscard]] Endpoint* endpoint() { return endpoint_.get(); }
  [[nodiscard]] bool closing() const { return closing_; }
  /// From now on the endpoint hears nothing but the end. The peer gets a moment to take what was
  /// written.
  void set_closing();
  /// The socket takes bytes: one call of on_writable().
  void writable();
  /// Something came from the peer.
  void heard() { heard_ = true; }
  /// A message of the peer for the endpoint.
  void hand_over(std::string_view text);

  /// Makes libwebsockets call us when the socket takes more.
  virtual void ask_for_writable() = 0;
  /// Silence has lasted: ask the peer for a sign of life.
  virtual void ping() = 0;
  /// The peer has not read for too long.
  virtual void give_up() = 0;
  /// Whether what the peer says is read; while it is not its silence says nothing.
  [[nodiscard]] virtual bool listens() const { return true; }

 private:
  void watch();
  [[nodiscard]] bool output_moves();
  [[nodiscard]] bool peer_has_left();

  Peer& peer_;
  std::shared_ptr<Lifeline> life_;
  Timer timer_;
  Timer watch_timer_;
  Timer close_deadline_;
  bool closing_ = false;
  bool write_wanted_ = false;
  bool in_on_writable_ = false;
  bool heard_ = true;
  int unsent_bytes_ = 0;
  unsigned silent_ticks_ = 0;
  unsigned stalled_ticks_ = 0;
  std::unique_ptr<Endpoint> endpoint_;  // last: it may use all of the above while it is destroyed
};

}  // namespace vibes::net
