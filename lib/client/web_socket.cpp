// SPDX-License-Identifier: MIT
#include "client/web_socket.hpp"

#include <array>
#include <deque>
#include <mutex>
#include <utility>

#include <libwebsockets.h>

#include "base/limits.hpp"
#include "client/errc.hpp"
#include "client/frame_intake.hpp"
#include "client/refusal.hpp"

namespace vibes::client {
namespace {

constexpr std::size_t kQueuedBytesMax = 1 * limits::kMiB;
constexpr std::size_t kReceivedAheadBytesMax = 1 * limits::kMiB;
constexpr std::size_t kReadBytes = 64 * limits::kKiB;
/// libwebsockets 4.1.6 writes the request line into 2 KiB and cuts what is longer.
constexpr std::size_t kPathBytesMax = 1'900;
constexpr const char* kProtocolName = "vibes-client";

/// The library must not print (it would, on stderr); one process, one setting.
void silence_library() {
  static std::once_flag once;
  std::call_once(once, [] { lws_set_log_level(0, nullptr); });
}

}  // namespace

class WebSocket::Impl {
 public:
  explicit Impl(std::shared_ptr<Waker> waker) : waker_(std::move(waker)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Result<void> connect(const Target& target, std::string_view path, Deadline deadline);
  Result<void> send(std::string_view text, Deadline deadline);
  Result<void> flush(Deadline deadline);
  Result<std::string_view> receive(Deadline deadline);
  Result<void> service(Deadline deadline);
  Result<void> close(Deadline deadline);
  void wake() noexcept { waker_->wake(); }

  [[nodiscard]] const std::optional<CloseStatus>& close_status() const { return close_status_; }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }

 private:
  enum class State : std::uint8_t { connecting, open, ended };

  static int callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t len);
  int on_reason(lws* wsi, lws_callback_reasons reason, char* in, std::size_t len);
  int on_handshake(lws* wsi, unsigned char** at, std::size_t room) const;
  int on_writable();
  void on_fragment(std::string_view bytes);
  void on_message(std::string message);
  void take_messages_from(lws* wsi);
  void on_peer_close(std::string_view payload);

  [[nodiscard]] Result<void> create_context();
  [[nodiscard]] bool start(std::string_view path);
  void serve(int timeout_ms);
  /// Lets the library work once, waiting for something to do at most until `deadline`.
  void turn(Deadline deadline);
  /// Turns until `done()`. Errors: timed_out, woken, and if the connection ends first, why.
  template <class Done>
  Result<void> turn_until(Deadline deadline, Done done);
  [[nodiscard]] Unexpected ended() const;
  void throttle();

  std::shared_ptr<Waker> waker_;
  Target target_;
  lws_context* context_ = nullptr;
  lws* wsi_ = nullptr;  // null once it has ended
  lws_sorted_usec_list_t timer_{};
  State state_ = State::connecting;
  bool closing_ = false;
  bool throttled_ = false;

  int refused_status_ = 0;
  std::string connect_error_;
  std::optional<CloseStatus> close_status_;

  std::deque<std::string> out_;  // each with LWS_PRE bytes in front
  std::size_t queued_bytes_ = 0;
  std::deque<std::string> in_;  // complete messages
  std::size_t received_bytes_ = 0;
  std::string partial_;
  std::optional<FrameIntake> intake_;  // not over TLS
  std::string current_;                // what receive() handed out
};

WebSocket::Impl::~Impl() {
  if (context_ != nullptr) {
    waker_->detach();
    lws_context_destroy(context_);
  }
}

int WebSocket::Impl::callback(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in,
                              std::size_t len) {
  auto* self = static_cast<Impl*>(lws_context_user(lws_get_context(wsi)));
  return self == nullptr ? 0 : self->on_reason(wsi, reason, static_cast<char*>(in), len);
}

int WebSocket::Impl::on_reason(lws* wsi, lws_callback_reasons reason, char* in, std::size_t len) {
  switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      take_messages_from(wsi);
      return on_handshake(wsi, reinterpret_cast<unsigned char**>(in), len);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
      refused_status_ = static_cast<int>(lws_http_client_http_response(wsi));
      return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      state_ = State::open;
      if (intake_) {
        intake_->expect_frames();
      }
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      connect_error_ = in != nullptr ? std::string(in, len) : std::string();
      state_ = State::ended;
      wsi_ = nullptr;
      return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
      on_fragment({in, len});
      return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return on_writable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      on_peer_close({in, len});
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
      state_ = State::ended;
      wsi_ = nullptr;
      return 0;
    default:
      return 0;
  }
}

int WebSocket::Impl::on_handshake(lws* wsi, unsigned char** at, std::size_t room) const {
  if (target_.token.empty()) {
    return 0;
  }
  const std::string value = "Bearer " + target_.token;
  return lws_add_http_header_by_name(wsi, reinterpret_cast<const unsigned char*>("authorization:"),
                                     reinterpret_cast<const unsigned char*>(value.data()),
                                     static_cast<int>(value.size()), at, *at + room);
}

int WebSocket::Impl::on_writable() {
  while (!out_.empty()) {
    std::string& message = out_.front();
    const std::size_t size = message.size() - LWS_PRE;
    auto* bytes = reinterpret_cast<unsigned char*>(message.data()) + LWS_PRE;
    if (lws_write(wsi_, bytes, size, LWS_WRITE_TEXT) < 0) {
      return -1;
    }
    queued_bytes_ -= size;
    out_.pop_front();
    if (lws_send_pipe_choked(wsi_) != 0) {
      break;
    }
  }
  if (!out_.empty()) {
    lws_callback_on_writable(wsi_);
    return 0;
  }
  if (closing_) {
    lws_close_reason(wsi_, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
    return -1;
  }
  return 0;
}

/// Over TLS the library takes the frames apart.
void WebSocket::Impl::on_fragment(std::string_view bytes) {
  partial_ += bytes;
  if (lws_is_final_fragment(wsi_) != 0 && lws_remaining_packet_payload(wsi_) == 0) {
    on_message(std::exchange(partial_, {}));
  }
}

void WebSocket::Impl::on_message(std::string message) {
  received_bytes_ += message.size();
  in_.push_back(std::move(message));
  throttle();
}

void WebSocket::Impl::take_messages_from(lws* wsi) {
  if (target_.endpoint.transport != Endpoint::Transport::tls) {
    intake_.emplace(lws_get_socket_fd(wsi),
                    [this](auto message) { on_message(std::move(message)); });
  }
}

/// Back pressure: what the caller does not take stays in the kernel and with the server.
void WebSocket::Impl::throttle() {
  const bool full = received_bytes_ > kReceivedAheadBytesMax;
  if (wsi_ != nullptr && full != throttled_) {
    throttled_ = full;
    (void)lws_rx_flow_control(wsi_, full ? 0 : 1);
  }
}

void WebSocket::Impl::on_peer_close(std::string_view payload) {
  CloseStatus status{1005, {}};
  if (payload.size() >= 2) {
    const auto high = static_cast<unsigned char>(payload[0]);
    const auto low = static_cast<unsigned char>(payload[1]);
    status.code = static_cast<std::uint16_t>(high * 256U + low);
    status.reason = payload.substr(2);
  }
  close_status_ = std::move(status);
}

Result<void> WebSocket::Impl::create_context() {
  silence_library();
  static const std::array<lws_protocols, 2> kProtocols{
      {{kProtocolName, &Impl::callback, 0, kReadBytes, 0, nullptr, 0},
       {nullptr, nullptr, 0, 0, 0, nullptr, 0}}};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kProtocols.data();
  info.user = this;
  info.fd_limit_per_thread = 4;  // the socket and the library's own wake-up pipe
  info.pt_serv_buf_size = kReadBytes;
  info.max_http_header_data = limits::kHeaderBytesMax;
  if (target_.endpoint.transport == Endpoint::Transport::tls) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  }
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return fail(std::make_error_code(std::errc::not_enough_memory),
                "libwebsockets cannot make a context");
  }
  waker_->attach([this] { lws_cancel_service(context_); });
  return {};
}

bool WebSocket::Impl::start(std::string_view path) {
  const Endpoint& endpoint = target_.endpoint;
  const bool local = endpoint.transport == Endpoint::Transport::unix_socket;
  const std::string address = local ? "+" + endpoint.socket.string() : endpoint.host;
  const std::string host = endpoint.host_header();
  const std::string path_text(path);
  lws_client_connect_info info{};
  info.context = context_;
  info.address = address.c_str();
  info.port = local ? 0 : endpoint.port;
  info.path = path_text.c_str();
  info.host = host.c_str();
  info.local_protocol_name = kProtocolName;
  info.ietf_version_or_minus_one = -1;
  info.pwsi = &wsi_;
  if (endpoint.transport == Endpoint::Transport::tls) {
    info.ssl_connection = LCCSCF_USE_SSL;
    info.alpn = "http/1.1";
  }
  return lws_client_connect_via_info(&info) != nullptr;
}

Result<void> WebSocket::Impl::connect(const Target& target, std::string_view path,
                                      Deadline deadline) {
  target_ = target;
  if (path.size() > kPathBytesMax) {
    return fail(make_error_code(Errc::rejected), "the query is longer than 1900 bytes");
  }
  VIBES_TRY(create_context());
  const std::string whom = target.endpoint.url();
  if (!start(path)) {
    return fail(make_error_code(Errc::cannot_connect), whom);
  }
  auto connected = turn_until(deadline, [this] { return state_ != State::connecting; });
  if (!connected) {
    return fail(connected.error().code, whom);
  }
  if (state_ == State::open) {
    return {};
  }
  if (refused_status_ >= 300) {
    return fail(reason_of_refusal(target, path, refused_status_, deadline));
  }
  return fail(make_error_code(Errc::cannot_connect),
              connect_error_.empty() ? whom : whom + ": " + connect_error_);
}

void WebSocket::Impl::serve(int timeout_ms) {
  std::optional<RecvHook> hook;
  if (intake_ && wsi_ != nullptr) {
    hook.emplace(intake_->fd(),
                 *intake_);  // for this call, because the next may be another thread's
  }
  (void)lws_service(context_, timeout_ms);
}

void WebSocket::Impl::turn(Deadline deadline) {
  const auto left = left_until(deadline);
  if (left.count() == 0 || waker_->is_set()) {
    serve(-1);
    return;
  }
  if (deadline != kNever) {
    // The library ignores the timeout it is given; a timer of ours ends its wait.
    lws_sul_schedule(
        context_, 0, &timer_, [](lws_sorted_usec_list_t*) {},
        std::chrono::duration_cast<std::chrono::microseconds>(left).count());
  }
  serve(0);
  if (deadline != kNever) {
    lws_sul_schedule(context_, 0, &timer_, nullptr, LWS_SET_TIMER_USEC_CANCEL);
  }
}

template <class Done>
Result<void> WebSocket::Impl::turn_until(Deadline deadline, Done done) {
  for (bool last = false; !done(); last = left_until(deadline).count() == 0) {
    if (waker_->take()) {
      return fail(make_error_code(Errc::woken), {});
    }
    if (last) {
      return fail(make_error_code(Errc::timed_out), {});
    }
    if (state_ == State::ended) {
      return ended();
    }
    turn(deadline);
  }
  return {};
}

Unexpected WebSocket::Impl::ended() const {
  const std::string whom = target_.endpoint.url();
  if (!close_status_) {
    return fail(make_error_code(Errc::connection_lost), whom);
  }
  const CloseStatus& status = *close_status_;
  const std::string context = whom + " closed with " + std::to_string(status.code) +
                              (status.reason.empty() ? "" : " " + status.reason);
  if (status.code == 1000 || (status.code >= 4500 && status.code <= 4999)) {
    return fail(make_error_code(Errc::closed), context);
  }
  if (status.code == 1008) {
    return fail(make_error_code(Errc::unauthorized), context);
  }
  return fail(make_error_code(Errc::connection_lost), context);
}

Result<void> WebSocket::Impl::send(std::string_view text, Deadline deadline) {
  VIBES_TRY(turn_until(deadline, [this] { return queued_bytes_ < kQueuedBytesMax; }));
  if (state_ == State::ended) {
    return ended();
  }
  std::string message(LWS_PRE, '\0');
  message += text;
  out_.push_back(std::move(message));
  queued_bytes_ += text.size();
  lws_callback_on_writable(wsi_);
  turn(Deadline{});
  return {};
}

Result<void> WebSocket::Impl::flush(Deadline deadline) {
  return turn_until(deadline, [this] {
    return out_.empty() && (wsi_ == nullptr || lws_partial_buffered(wsi_) == 0);
  });
}

Result<std::string_view> WebSocket::Impl::receive(Deadline deadline) {
  VIBES_TRY(turn_until(deadline, [this] { return !in_.empty(); }));
  current_ = std::move(in_.front());
  in_.pop_front();
  received_bytes_ -= current_.size();
  throttle();
  return std::string_view(current_);
}

Result<void> WebSocket::Impl::service(Deadline deadline) {
  auto served = turn_until(deadline, [] { return false; });
  if (!served && served.error().code == make_error_code(Errc::timed_out)) {
    return {};
  }
  return served;
}

Result<void> WebSocket::Impl::close(Deadline deadline) {
  if (state_ == State::open && wsi_ != nullptr) {
    closing_ = true;
    lws_callback_on_writable(wsi_);
  }
  return turn_until(deadline, [this] { return state_ == State::ended; });
}

Result<WebSocket> WebSocket::connect(const Target& target, std::string_view path,
                                     Deadline deadline) {
  return connect(target, path, deadline, std::make_shared<Waker>());
}

Result<WebSocket> WebSocket::connect(const Target& target, std::string_view path, Deadline deadline,
                                     std::shared_ptr<Waker> waker) {
  auto impl = std::make_unique<Impl>(std::move(waker));
  VIBES_TRY(impl->connect(target, path, deadline));
  return WebSocket(std::move(impl));
}

WebSocket::WebSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&&) noexcept = default;
WebSocket::~WebSocket() = default;

Result<void> WebSocket::send(std::string_view text, Deadline deadline) {
  return impl_->send(text, deadline);
}
Result<void> WebSocket::flush(Deadline deadline) { return impl_->flush(deadline); }
Result<std::string_view> WebSocket::receive(Deadline deadline) { return impl_->receive(deadline); }
Result<void> WebSocket::service(Deadline deadline) { return impl_->service(deadline); }
Result<void> WebSocket::close(Deadline deadline) { return impl_->close(deadline); }
const std::optional<CloseStatus>& WebSocket::close_status() const { return impl_->close_status(); }
std::size_t WebSocket::queued_bytes() const { return impl_->queued_bytes(); }
void WebSocket::wake() noexcept { impl_->wake(); }

}  // namespace vibes::client
