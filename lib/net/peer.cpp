// SPDX-License-Identifier: MIT
#include "net/peer.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

#include <libwebsockets.h>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "event/errc.hpp"
#include "net/auth.hpp"
#include "net/http_exchange.hpp"
#include "net/loop.hpp"
#include "net/request_head.hpp"
#include "net/websocket_connection.hpp"

namespace vibes::net {

namespace {

constexpr std::string_view kSubprotocol = "vibes.v1";
// What libwebsockets 4.1 can take apart; ours with a token has 59.
constexpr std::size_t kSubprotocolBytesMax = 126;
// How long input is thrown away after an answer that did not wait for it.
constexpr std::chrono::milliseconds kLingerTick{20};
constexpr unsigned kLingerTicks = 100;
constexpr std::size_t kWebsocketKeyChars = 24;  // RFC 6455 §4.1: 16 bytes in base64

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x | 0x20) == (y | 0x20);
         });
}

/// A plan's error as an HTTP answer; see EndpointMaker.
Response plan_error(const Error& error) {
  if (error.code == event::Errc::cursor_mismatch) {
    return error_response(409, "cursor_mismatch", error.context);
  }
  if (error.code == std::errc::invalid_argument) {
    return error_response(400, "bad_query", error.context);
  }
  return error_response(503, "log_unavailable", error.context);
}

/// What RFC 6455 §4.2.1 asks of the request and libwebsockets does not.
std::optional<Response> handshake_error(const RequestHead& head) {
  if (head.method != Method::get) {
    return error_response(405, "method_not_allowed", "a WebSocket begins with GET");
  }
  if (head.websocket_version != "13") {
    Response response = error_response(426, "bad_version", "the WebSocket version is 13");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  if (head.websocket_key.size() != kWebsocketKeyChars) {
    return error_response(400, "bad_request", "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (head.subprotocols.size() > kSubprotocolBytesMax ||
      (!head.subprotocols.empty() && head.subprotocols.find(kSubprotocol) == std::string::npos)) {
    return error_response(400, "bad_subprotocol", "the subprotocol is vibes.v1");
  }
  return std::nullopt;
}

}  // namespace

struct Peer::Upgrade {
  EndpointMaker maker;
  std::size_t message_bytes_max = 0;
};

Peer::Peer(Loop& loop, Transport transport, int fd)
    : loop_(loop),
      transport_(transport),
      intake_(fd),
      header_deadline_(loop.timers(), [this] { hang_up(); }),
      linger_timer_(loop.timers(), [this] { drain(); }) {
  accepted_ns_ = system_clock().steady_ns();
  counted_unauthenticated_ = transport == Transport::tcp;
  header_deadline_.set(loop.context().deadlines.headers);
}

Peer::~Peer() {
  set_authenticated();
  loop_.context().counts.total.fetch_sub(1);
}

void Peer::set_authenticated() {
  if (std::exchange(counted_unauthenticated_, false)) {
    loop_.context().counts.unauthenticated.fetch_sub(1);
  }
}

void Peer::hang_up() { lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC); }

std::optional<Response> Peer::refuse(const RequestHead& head, bool needs_token) {
  const LoopContext& context = loop_.context();
  if (auto foreign = refuse_foreign(head, context.host_rules, transport_)) {
    return foreign;
  }
  const bool trusted = transport_ == Transport::unix_socket || context.token == nullptr;
  if (!trusted && needs_token && !context.token->matches(shown_token(head))) {
    Response response = error_response(401, "unauthorized", "show the token of this server");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  return std::nullopt;
}

std::optional<Response> Peer::plan_upgrade(const RequestHead& head) {
  if (auto refused = refuse(head, true)) {
    return refused;
  }
  if (auto refused = handshake_error(head)) {
    return refused;
  }
  const WebsocketRoute* route = loop_.context().router.find_websocket(head.path);
  if (route == nullptr) {
    return error_response(404, "not_found", "no WebSocket here");
  }
  if (loop_.stopping()) {
    return error_response(503, "stopping", "the server is stopping");
  }
  auto maker = route->plan(head.query);
  if (!maker) {
    return plan_error(maker.error());
  }
  upgrade_ = std::make_unique<Upgrade>(Upgrade{*std::move(maker), route->message_bytes_max});
  return std::nullopt;
}

int Peer::on_confirm_upgrade() {
  header_deadline_.stop();
  // Read again instead of trusting what we are handed: for an unknown upgrade libwebsockets 4.1.6
  // has freed it by now (CVE-2025-11677). HTTP/2 is never taken (its parser has holes of its own).
  const auto head = read_request_head(wsi_);
  if (!head || !iequals(head->upgrade, "websocket")) {
    return -1;
  }
  if (const auto refused = plan_upgrade(*head)) {
    return refuse_upgrade(*refused);
  }
  set_authenticated();
  return 0;
}

/// The one answer that is not written from a writable callback: libwebsockets wants it now.
int Peer::refuse_upgrade(const Response& response) {
  std::string bytes = response_head(response.status, response.content_type, response.body.size(),
                                    response.headers) +
                      response.body;
  (void)lws_write(wsi_, reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                  LWS_WRITE_HTTP_FINAL);
  return -1;
}

int Peer::on_filter_websocket() const { return upgrade_ ? 0 : -1; }

int Peer::on_established() {
  websocket_ = std::make_unique<WebsocketConnection>(*this);
  const std::unique_ptr<Upgrade> upgrade = std::move(upgrade_);
  if (!websocket_->watch_frames(upgrade->message_bytes_max)) {
    return -1;
  }
  websocket_->open(upgrade->maker);
  return 0;
}

int Peer::on_websocket_writable() { return websocket_ ? websocket_->on_writable() : -1; }

void Peer::on_pong() {
  if (websocket_) {
    websocket_->on_pong();
  }
}

int Peer::on_peer_closes(std::string_view payload) {
  return websocket_ ? websocket_->on_peer_closes(payload) : -1;
}

void Peer::on_closed() {
  if (websocket_) {
    websocket_->end();
  }
}

int Peer::on_http() {
  header_deadline_.stop();
  // From here the deadlines are the exchange's: that of libwebsockets would end a stream that has
  // nothing to say.
  lws_set_timeout(wsi_, NO_PENDING_TIMEOUT, 0);
  auto head = read_request_head(wsi_);
  if (!head) {
    return -1;
  }
  const Router::Match match = loop_.context().router.find(head->method, head->path);
  const bool needs_token = match.route == nullptr || match.route->access == Access::token;
  auto refused = refuse(*head, needs_token);
  if (!refused && needs_token) {
    set_authenticated();
  }
  if (!refused && match.route == nullptr) {
    if (match.allow.empty()) {
      const bool websocket = loop_.context().router.find_websocket(head->path) != nullptr;
      refused = websocket ? error_response(426, "upgrade_required", "this is a WebSocket")
                          : error_response(404, "not_found", "no such resource");
    } else {
      refused = error_response(405, "method_not_allowed", "this resource takes " + match.allow);
      refused->headers.emplace_back("Allow", match.allow);
    }
  }
  body_unread_ = !head->content_lengths.empty() || !head->transfer_encodings.empty();
  exchange_ = std::make_unique<HttpExchange>(*this, *std::move(head));
  if (refused) {
    exchange_->refuse(*refused);
  } else {
    exchange_->accept(match);
  }
  return 0;
}

int Peer::on_http_body(std::string_view piece) { return exchange_ ? exchange_->on_body(piece) : 0; }

int Peer::on_http_body_complete() {
  body_unread_ = false;
  if (exchange_) {
    exchange_->on_body_complete();
  }
  return 0;
}

int Peer::on_http_writable() {
  if (!exchange_ || exchange_->on_writable()) {
    return 0;
  }
  exchange_.reset();
  return linger() ? 0 : -1;
}

/// Closing a socket with unread input resets the connection and may take our answer with it. Says
/// that we have said everything and reads on for a while. False: there is nothing to wait for.
bool Peer::linger() {
  const int fd = lws_get_socket_fd(wsi_);
  int unread_bytes = 0;
  const bool input_waits = ::ioctl(fd, FIONREAD, &unread_bytes) == 0 && unread_bytes > 0;
  if (!input_waits && !body_unread_) {
    return false;
  }
  lws_rx_flow_control(wsi_, 0);
  (void)::shutdown(fd, SHUT_WR);
  linger_ticks_ = kLingerTicks;
  linger_timer_.set(kLingerTick);
  return true;
}

void Peer::drain() {
  std::array<char, 16 * limits::kKiB> discarded{};
  const int fd = lws_get_socket_fd(wsi_);
  ssize_t got = 0;
  do {
    got = ::recv(fd, discarded.data(), discarded.size(), MSG_DONTWAIT);
  } while (got > 0);
  const bool open = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  if (!open || --linger_ticks_ == 0) {
    hang_up();
    return;
  }
  linger_timer_.set(kLingerTick);
}

void Peer::on_log_moved() {
  if (websocket_) {
    websocket_->on_log_moved();
  } else if (exchange_) {
    exchange_->on_log_moved();
  }
}

void Peer::on_input_end() {
  if (websocket_) {
    websocket_->on_input_end();
  }
}

bool Peer::has_left_over() const { return websocket_ && websocket_->has_left_over(); }

void Peer::write_now() {
  if (websocket_) {
    websocket_->write_now();
  } else if (exchange_) {
    exchange_->write_now();
  }
}

void Peer::on_stop() {
  if (websocket_) {
    websocket_->on_stop();
  } else if (exchange_) {
    exchange_->on_stop();
  } else if (!linger_timer_.is_set()) {
    hang_up();
  }
}

bool Peer::is_lost() const {
  return (websocket_ && websocket_->is_lost()) || (exchange_ && exchange_->is_lost());
}

bool Peer::is_stranger(std::chrono::nanoseconds since) const {
  return counted_unauthenticated_ && system_clock().steady_ns() - accepted_ns_ > since.count();
}

}  // namespace vibes::net
