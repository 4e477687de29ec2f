// SPDX-License-Identifier: MIT
#include "net/socket_connection.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <utility>

#include <libwebsockets.h>
#include <poll.h>

#include "net/loop.hpp"
#include "net/peer.hpp"

namespace vibes::net {

namespace {

// The watch looks this often in the time of one ping.
constexpr int kTicksPerPing = 2;

TaskQueue::Task while_alive(const std::shared_ptr<Lifeline>& life, std::function<void()> task) {
  return [life, task = std::move(task)] {
    if (life->alive) {
      task();
    }
  };
}

}  // namespace

Connection::Poster Lifeline::poster(const std::shared_ptr<Lifeline>& life) {
  return [life](std::function<void()> task) {
    if (!life->tasks->post(while_alive(life, std::move(task)))) {
      life->lost.store(true);
    }
  };
}

Connection::Poster Lifeline::quiet_poster(const std::shared_ptr<Lifeline>& life) {
  return [life](std::function<void()> task) {
    if (!life->tasks->post_quiet(while_alive(life, std::move(task)))) {
      life->lost.store(true);
    }
  };
}

SocketConnection::SocketConnection(Peer& peer)
    : peer_(peer),
      life_(std::make_shared<Lifeline>(peer.loop().tasks())),
      timer_(peer.loop().timers(),
             [this] {
               if (endpoint_ && !closing_) {
                 endpoint_->on_timer();
               }
             }),
      watch_timer_(peer.loop().timers(), [this] { watch(); }),
      close_deadline_(peer.loop().timers(), [this] { peer_.hang_up(); }) {}

SocketConnection::~SocketConnection() { end(); }

void SocketConnection::open(const EndpointMaker& maker) {
  watch_timer_.set(peer_.loop().context().deadlines.ping / kTicksPerPing);
  endpoint_ = maker(*this);
  endpoint_->on_open();
  if (peer_.loop().stopping()) {
    on_stop();
  }
}

void SocketConnection::end() {
  life_->alive = false;
  closing_ = true;
  timer_.stop();
  watch_timer_.stop();
  close_deadline_.stop();
  if (endpoint_) {
    endpoint_->on_close();
    endpoint_.reset();
  }
}

void SocketConnection::on_log_moved() {
  if (endpoint_ && !closing_) {
    endpoint_->on_log_moved();
  }
}

void SocketConnection::hand_over(std::string_view text) {
  peer_.loop().note_input(peer_);
  endpoint_->on_message(text);
}

void SocketConnection::on_input_end() {
  if (endpoint_ && !closing_) {
    endpoint_->on_input_end();
  }
}

void SocketConnection::on_stop() {
  if (endpoint_ && !closing_) {
    endpoint_->on_stop();
  }
}

void SocketConnection::set_closing() {
  closing_ = true;
  timer_.stop();
  close_deadline_.set(peer_.loop().context().deadlines.close);
}

void SocketConnection::request_write() {
  if (closing_) {
    return;
  }
  write_wanted_ = true;
  if (!peer_.loop().note_write(peer_)) {
    ask_for_writable();
  }
}

void SocketConnection::writable() {
  if (!write_wanted_ || closing_ || !endpoint_) {
    return;
  }
  write_wanted_ = false;
  stalled_ticks_ = 0;
  endpoint_->on_writable();
}

void SocketConnection::set_timer(std::optional<std::chrono::milliseconds> delay) {
  if (delay && !closing_) {
    timer_.set(*delay);
  } else {
    timer_.stop();
  }
}

/// Whether the peer has taken something of what lies in the kernel since we last looked.
bool SocketConnection::output_moves() {
  int unsent = 0;
  if (::ioctl(lws_get_socket_fd(peer_.wsi()), SIOCOUTQ, &unsent) != 0) {
    return true;
  }
  return std::exchange(unsent_bytes_, unsent) != unsent;
}

/// Whether it will say nothing any more, what it said before aside.
bool SocketConnection::peer_has_left() {
  pollfd state{lws_get_socket_fd(peer_.wsi()), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0;
}

void SocketConnection::watch() {
  const Deadlines& deadlines = peer_.loop().context().deadlines;
  const auto tick = deadlines.ping / kTicksPerPing;
  const bool stuck = write_wanted_ && !output_moves();
  stalled_ticks_ = stuck ? stalled_ticks_ + 1 : 0;
  const bool alive = heard_ || (write_wanted_ && !stuck) || (!listens() && !peer_has_left());
  silent_ticks_ = alive ? 0 : silent_ticks_ + 1;
  heard_ = false;
  if (stalled_ticks_ * tick >= deadlines.stalled) {
    give_up();
    return;
  }
  if (silent_ticks_ * tick >= deadlines.hang_up && !write_wanted_) {
    peer_.hang_up();
    return;
  }
  if (silent_ticks_ >= static_cast<unsigned>(kTicksPerPing)) {
    ping();
  }
  watch_timer_.set(tick);
}

}  // namespace vibes::net
