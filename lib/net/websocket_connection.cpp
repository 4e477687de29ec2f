// SPDX-License-Identifier: MIT
#include "net/websocket_connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <libwebsockets.h>

#include "base/limits.hpp"
#include "event/utf8.hpp"
#include "net/loop.hpp"
#include "net/peer.hpp"
#include "net/raw_frames.hpp"

namespace vibes::net {

namespace {

constexpr std::size_t kCloseReasonBytesMax = 123;  // RFC 6455 §5.5: a control frame has 125 at most
constexpr std::size_t kPartialKeptBytes = 16 * limits::kKiB;

}  // namespace

WebsocketConnection::WebsocketConnection(Peer& peer)
    : SocketConnection(peer), message_deadline_(peer.loop().timers(), [this] {
        close(CloseCode::too_slow, "the message took too long to arrive");
      }) {}

bool WebsocketConnection::watch_frames(std::size_t message_bytes_max) {
  return peer().intake().expect_frames(message_bytes_max, *this);
}

void WebsocketConnection::on_frames() {
  heard();
  if (const auto& breach = peer().intake().guard().breach()) {
    close(breach->code, breach->reason);
    return;
  }
  watch_message();
}

/// A message has its time from when its first frame is announced. While we do not read it stands
/// still.
void WebsocketConnection::watch_message() {
  const FrameGuard& guard = peer().intake().guard();
  if (!guard.in_message() || paused_ || closing()) {
    message_deadline_.stop();
  } else if (!message_deadline_.is_set() || message_watched_ != guard.messages()) {
    message_watched_ = guard.messages();
    message_deadline_.set(peer().loop().context().deadlines.message);
  }
}

void WebsocketConnection::write_text(std::string_view text) {
  // libwebsockets puts the frame's header in front of the text.
  thread_local std::vector<unsigned char> buffer;
  buffer.resize(LWS_PRE + text.size());
  std::memcpy(buffer.data() + LWS_PRE, text.data(), text.size());
  write_failed_ = lws_write(peer().wsi(), buffer.data() + LWS_PRE, text.size(), LWS_WRITE_TEXT) < 0;
  if (buffer.capacity() > limits::kWriteChunkBytes * 4) {
    buffer.clear();
    buffer.shrink_to_fit();
  }
}

void WebsocketConnection::write_frames(std::string_view frames) {
  write_failed_ = !write_raw_frames(peer().wsi(), frames);
}

void WebsocketConnection::write_pages(std::string_view frames, FilePlace place) {
  write_failed_ = !write_raw_pages(peer().wsi(), frames, place);
}

void WebsocketConnection::close(CloseCode code, std::string_view reason) {
  if (close_wanted_ || closing()) {
    return;
  }
  close_wanted_ = true;
  close_code_ = code;
  close_reason_ = reason.substr(0, kCloseReasonBytesMax);
  set_closing();
  resume_reading();  // the peer's close frame must get in
  ask_for_writable();
}

void WebsocketConnection::pause_reading() {
  if (!closing()) {
    paused_ = true;
    message_deadline_.stop();
    lws_rx_flow_control(peer().wsi(), 0);
  }
}

void WebsocketConnection::resume_reading() {
  paused_ = false;
  lws_rx_flow_control(peer().wsi(), 1);
  watch_message();
  if (peer().intake().has_left_over()) {
    peer().loop().note_left_over(peer());
  }
}

bool WebsocketConnection::has_left_over() { return !paused_ && peer().intake().has_left_over(); }

void WebsocketConnection::ask_for_writable() { lws_callback_on_writable(peer().wsi()); }

void WebsocketConnection::ping() {
  ping_wanted_ = true;
  ask_for_writable();
}

void WebsocketConnection::give_up() {
  // The close frame goes out if there is room for it; the peer keeps its cursor either way.
  close(CloseCode::try_later, "the reader made no progress");
}

void WebsocketConnection::on_piece(const wire::FrameHeader& header, std::string_view piece,
                                   bool frame_ends) {
  if (closing()) {
    return;
  }
  if (header.opcode() == wire::Opcode::binary) {
    close(CloseCode::unsupported_data, "messages are text");
    return;
  }
  const bool message_ends = frame_ends && header.is_final();
  if (message_ends && !in_message_) {
    hand_over_text(piece);
  } else {
    collect(piece, frame_ends, message_ends);
  }
}

void WebsocketConnection::hand_over_text(std::string_view text) {
  if (!event::is_utf8(text)) {
    close(CloseCode::invalid_payload, "text is UTF-8");
    return;
  }
  hand_over(text);
}

int WebsocketConnection::on_peer_closes(std::string_view payload) {
  set_closing();
  if (payload.size() == 1) {  // RFC 6455 §5.5.1: a code has two bytes; libwebsockets would echo it
    lws_close_reason(peer().wsi(), LWS_CLOSE_STATUS_PROTOCOL_ERR, nullptr, 0);
    return -1;
  }
  return 0;
}

void WebsocketConnection::collect(std::string_view piece, bool frame_ends, bool message_ends) {
  if (!in_message_) {
    in_message_ = true;
    fragments_ = 0;
  }
  fragments_ += frame_ends ? 1 : 0;
  if (fragments_ > limits::kMessageFragmentsMax) {
    close(CloseCode::policy,
          "a message has " + std::to_string(limits::kMessageFragmentsMax) + " fragments at most");
    partial_ = {};
    return;
  }
  partial_ += piece;
  if (!message_ends) {
    return;
  }
  in_message_ = false;
  hand_over_text(partial_);
  partial_.clear();
  if (partial_.capacity() > kPartialKeptBytes) {
    partial_.shrink_to_fit();
  }
}

int WebsocketConnection::on_writable() {
  if (close_wanted_) {
    return send_close();
  }
  if (closing()) {
    return 0;
  }
  if (ping_wanted_) {
    ping_wanted_ = false;
    std::array<unsigned char, LWS_PRE + 5> buffer{};
    std::memcpy(buffer.data() + LWS_PRE, "vibes", 5);
    const int sent = lws_write(peer().wsi(), buffer.data() + LWS_PRE, 5, LWS_WRITE_PING);
    ask_for_writable();  // the endpoint's turn comes next
    return sent < 0 ? -1 : 0;
  }
  writable();
  return write_failed_ ? -1 : 0;
}

// Without a trip through poll(). What the socket has no room for libwebsockets keeps, at most this
// one write; until that has left nothing more is written here.
void WebsocketConnection::write_now() {
  if (close_wanted_ || ping_wanted_ || closing() || lws_partial_buffered(peer().wsi()) != 0) {
    ask_for_writable();
    return;
  }
  writable();
  if (write_failed_) {
    peer().hang_up();
  }
}

/// libwebsockets sends the frame and ends the connection once we hang up.
int WebsocketConnection::send_close() {
  std::array<unsigned char, kCloseReasonBytesMax> reason{};
  std::ranges::copy(close_reason_, reason.begin());
  lws_close_reason(peer().wsi(), static_cast<lws_close_status>(close_code_), reason.data(),
                   close_reason_.size());
  return -1;
}

}  // namespace vibes::net
