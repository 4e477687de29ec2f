// SPDX-License-Identifier: MIT
#include "net/loop.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <libwebsockets.h>

#include "base/clock.hpp"
#include "net/peer.hpp"

namespace vibes::net {

namespace {

// Read at once from a WebSocket; also what a connection holds for it, of which only a page or two
// is ever touched.
constexpr std::size_t kReceiveBytes = 120 * limits::kKiB;
// Written at once at most: no write of ours is cut into pieces.
constexpr std::size_t kSendBytes = 4 * limits::kMiB;
// A client on this machine has sent its request by then.
constexpr std::chrono::milliseconds kStrangersPatience{250};
constexpr unsigned kServiceBytes = 128 * limits::kKiB;
constexpr std::int64_t kNsPerUs = 1'000;

/// The loop that ends its turn on this thread: whoever wakes it need not signal, it looks anyway.
thread_local const Loop* ending_turn_of = nullptr;

std::string_view bytes(const void* in, std::size_t len) {
  return len == 0 ? std::string_view() : std::string_view(static_cast<const char*>(in), len);
}

/// One line per reason; a method of Peer each.
int dispatch(lws* wsi, lws_callback_reasons reason, void* in, std::size_t len) {
  if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
    static_cast<Loop*>(lws_context_user(lws_get_context(wsi)))->on_woken();
    return 0;
  }
  auto* peer = wsi == nullptr ? nullptr : static_cast<Peer*>(lws_get_opaque_user_data(wsi));
  if (peer == nullptr) {
    return 0;
  }
  switch (reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
      peer->set_wsi(wsi);
      return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return peer->on_confirm_upgrade();
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
      return peer->on_filter_websocket();
    case LWS_CALLBACK_ESTABLISHED:
      return peer->on_established();
    case LWS_CALLBACK_RECEIVE:  // messages are taken out before it sees them
      return -1;
    case LWS_CALLBACK_RECEIVE_PONG:
      peer->on_pong();
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return peer->on_websocket_writable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      return peer->on_peer_closes(bytes(in, len));
    case LWS_CALLBACK_CLOSED:
      peer->on_closed();
      return 0;
    case LWS_CALLBACK_HTTP:
      return peer->on_http();
    case LWS_CALLBACK_HTTP_BODY:
      return peer->on_http_body(bytes(in, len));
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
      return peer->on_http_body_complete();
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return peer->on_http_writable();
    case LWS_CALLBACK_RAW_ADOPT:  // CONNECT, which libwebsockets would turn into a raw socket
    case LWS_CALLBACK_RAW_RX:
      return -1;
    case LWS_CALLBACK_WSI_DESTROY:
      lws_set_opaque_user_data(wsi, nullptr);
      peer->loop().remove(*peer);
      return 0;
    default:
      return 0;
  }
}

/// An exception must not cross the library's C frames: it costs the connection that met it.
int callback(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, std::size_t len) {
  try {
    return dispatch(wsi, reason, in, len);
  } catch (const std::exception&) {
    return -1;
  }
}

const std::array<lws_protocols, 2>& protocols() {
  static const std::array<lws_protocols, 2> kProtocols = [] {
    std::array<lws_protocols, 2> made{};
    made[0].name = "vibes.v1";
    made[0].callback = &callback;
    made[0].rx_buffer_size = kReceiveBytes;
    made[0].tx_packet_size = kSendBytes;
    return made;
  }();
  return kProtocols;
}

// Pings and hang-ups are ours: those of libwebsockets walk a list of all connections each time one
// is heard of.
constexpr lws_retry_bo_t kNoPings{};

lws_context_creation_info context_info(Loop* loop) {
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = protocols().data();
  info.extensions = nullptr;
  info.gid = -1;
  info.uid = -1;
  info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
  info.user = loop;
  info.max_http_header_data = limits::kHeaderBytesMax;
  info.max_http_header_pool = limits::kHeaderPool;
  info.timeout_secs = static_cast<unsigned>(limits::kHeadersWithin.count());
  info.timeout_secs_ah_idle = static_cast<unsigned>(limits::kHeadersWithin.count());
  info.keepalive_timeout = static_cast<int>(limits::kKeepAliveIdle.count());
  info.pt_serv_buf_size = kServiceBytes;
  info.retry_and_idle_policy = &kNoPings;
  info.server_string = "vibes-server";
  return info;
}

}  // namespace

struct Loop::WakeTimer {
  lws_sorted_usec_list_t sul{};  // first, so that its address is ours
  Loop* loop = nullptr;

  static void fire(lws_sorted_usec_list_t* sul) {
    reinterpret_cast<WakeTimer*>(sul)->loop->timers_->run();
  }
};

Loop::Loop(LoopContext& context)
    : context_(context),
      tasks_(std::make_shared<TaskQueue>([this] { signal(); }, context.task_limits)),
      wake_timer_(std::make_unique<WakeTimer>()) {
  wake_timer_->loop = this;
  timers_ = std::make_unique<TimerQueue>(
      [] { return system_clock().steady_ns(); },
      [this](std::int64_t deadline_ns) {
        const std::int64_t left_us = (deadline_ns - system_clock().steady_ns()) / kNsPerUs;
        lws_sul_schedule(lws_, 0, &wake_timer_->sul, &WakeTimer::fire,
                         std::max<std::int64_t>(left_us, 1));
      });
}

Loop::~Loop() {
  if (thread_.joinable()) {
    stop(std::chrono::milliseconds(0));
    join();
  }
}

Result<void> Loop::start() {
  const lws_context_creation_info info = context_info(this);
  lws_ = lws_create_context(&info);
  if (lws_ == nullptr) {
    return fail(std::make_error_code(std::errc::not_enough_memory),
                "libwebsockets cannot make its context");
  }
  vhost_ = lws_get_vhost_by_name(lws_, "default");
  if (vhost_ == nullptr) {
    lws_context_destroy(lws_);
    return fail(std::make_error_code(std::errc::not_supported),
                "libwebsockets has no default vhost");
  }
  stop_timer_ = std::make_unique<Timer>(*timers_, [this] { ended_ = true; });
  thread_ = std::jthread([this] { run(); });
  return {};
}

void Loop::run() {
  // Set here and before anything can be adopted: adoption is a task of this thread.
  thread_id_ = std::this_thread::get_id();
  while (!ended_ && !(stopping_ && peers_.empty())) {
    if (!take_turn()) {
      break;
    }
    end_turn();
  }
  tasks_->close();
  stop_timer_.reset();
  lws_sul_cancel(&wake_timer_->sul);
  lws_context_destroy(lws_);  // lets go of the peers that are left
  lws_ = nullptr;
}

/// Waits for something to do, and does it. Of a producer that had more than is read at once the
/// rest is for the next turn: what came goes into the log meanwhile. False: it is over.
bool Loop::take_turn() {
  const int wait =
      read_left_over() ? -1 : 0;  // for libwebsockets: not at all, or as long as it takes
  return lws_service(lws_, wait) >= 0;
}

/// Makes libwebsockets ask those for input whose sockets may have none. False: there are none.
bool Loop::read_left_over() {
  const bool any = !with_left_over_.empty();
  // Whom it reads may be noted again, or gone.
  for (std::size_t peers = with_left_over_.size(); peers > 0 && !with_left_over_.empty(); --peers) {
    Peer& peer = *with_left_over_.front();
    with_left_over_.erase(with_left_over_.begin());
    peer.noted().left_over = false;
    if (peer.has_left_over()) {
      lws_pollfd readable{lws_get_socket_fd(peer.wsi()), POLLIN, POLLIN};
      lws_service_fd(lws_, &readable);
    }
  }
  return any;
}

/// Each readable socket has been read once: what came is passed on together, and what there is to
/// be sent by then leaves at once instead of after another poll().
void Loop::end_turn() {
  for (Peer* peer : with_input_) {
    peer->noted().input = false;
    peer->on_input_end();
  }
  with_input_.clear();
  if (context_.after_input) {
    ending_turn_of = this;
    context_.after_input();
    ending_turn_of = nullptr;
    if (log_moved_.load() || !tasks_->empty()) {
      on_woken();
    }
  }
  write_out();
}

void Loop::write_out() {
  writing_out_ = true;
  for (Peer* peer : want_to_write_) {
    peer->noted().write = false;
    peer->write_now();
  }
  want_to_write_.clear();
  writing_out_ = false;
}

void Loop::note_input(Peer& peer) {
  if (!std::exchange(peer.noted().input, true)) {
    with_input_.push_back(&peer);
  }
}

void Loop::note_left_over(Peer& peer) {
  if (!std::exchange(peer.noted().left_over, true)) {
    with_left_over_.push_back(&peer);
  }
}

bool Loop::note_write(Peer& peer) {
  if (writing_out_) {
    return false;  // one write a turn each, so that nobody keeps the others from their input
  }
  if (!std::exchange(peer.noted().write, true)) {
    want_to_write_.push_back(&peer);
  }
  return true;
}

void Loop::signal() {
  if (ending_turn_of != this) {
    lws_cancel_service(lws_);
  }
}

void Loop::adopt(UniqueFd socket, Transport transport) {
  if (connections_.fetch_add(1) == 0) {
    log_moved_.store(true);  // while nobody was here log_moved() did nothing
  }
  // A function must be copyable, a descriptor is not.
  auto shared = std::make_shared<UniqueFd>(std::move(socket));
  if (!tasks_->post([this, shared, transport] { adopt_now(std::move(*shared), transport); })) {
    uncount(transport);
  }
}

/// Of a socket that no Peer was made for.
void Loop::uncount(Transport transport) {
  connections_.fetch_sub(1);
  context_.counts.total.fetch_sub(1);
  if (transport == Transport::tcp) {
    context_.counts.unauthenticated.fetch_sub(1);
  }
}

void Loop::adopt_now(UniqueFd socket, Transport transport) {
  peers_.push_front(std::make_unique<Peer>(*this, transport, socket.get()));
  Peer& peer = *peers_.front();
  peer.set_place(peers_.begin());
  lws_adopt_desc_t description{};
  description.vh = vhost_;
  description.type = static_cast<lws_adoption_type>(LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP);
  description.fd.sockfd = socket.release();
  description.opaque = &peer;
  const std::size_t before = peers_.size();
  if (lws_adopt_descriptor_vhost_via_info(&description) == nullptr && peers_.size() == before) {
    remove(peer);  // refused before libwebsockets had anything to destroy
  }
}

void Loop::remove(Peer& peer) {
  if (peer.noted().input) {
    std::erase(with_input_, &peer);
  }
  if (peer.noted().left_over) {
    std::erase(with_left_over_, &peer);
  }
  if (peer.noted().write) {
    std::erase(want_to_write_, &peer);
  }
  peers_.erase(peer.place());
  connections_.fetch_sub(1);
  if (stopping_ && peers_.empty()) {
    tasks_->wake();  // the thread may be about to wait for a socket that will never speak
  }
}

void Loop::log_moved() {
  if (connections_.load() == 0 && tasks_->empty()) {
    return;
  }
  log_moved_.store(true);
  tasks_->wake();
}

void Loop::on_woken() {
  tasks_->run();
  if (tasks_->take_overrun()) {
    hang_up_on_lost();
  }
  if (!log_moved_.exchange(false)) {
    return;
  }
  if (context_.before_log_moved) {
    context_.before_log_moved();
  }
  for (const auto& peer : peers_) {
    peer->on_log_moved();
  }
}

void Loop::hang_up_on_lost() {
  for (const auto& peer : peers_) {
    if (peer->is_lost()) {
      peer->hang_up();
    }
  }
}

void Loop::evict_strangers() {
  tasks_->post_unlimited([this] {
    for (const auto& peer : peers_) {
      if (peer->is_stranger(kStrangersPatience)) {
        peer->hang_up();
      }
    }
  });
}

void Loop::stop(std::chrono::milliseconds within) {
  tasks_->post_unlimited([this, within] { begin_stop(within); });
}

void Loop::begin_stop(std::chrono::milliseconds within) {
  if (stop_timer_->is_set() && within.count() > 0) {
    return;
  }
  stopping_ = true;
  stop_timer_->set(within);
  for (const auto& peer : peers_) {
    peer->on_stop();
  }
}

void Loop::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace vibes::net
