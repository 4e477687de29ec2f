// SPDX-License-Identifier: MIT
#include "net/http_exchange.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <libwebsockets.h>

#include "base/limits.hpp"
#include "net/loop.hpp"
#include "net/peer.hpp"

namespace vibes::net {

struct Responder::Target {
  std::shared_ptr<Lifeline> life;
  HttpExchange* exchange = nullptr;
  Loop* loop = nullptr;
};

namespace {

bool write_raw(lws* wsi, std::string_view bytes) {
  // The library only reads: on an HTTP/1 connection bytes go out as they are.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return lws_write(wsi, data, bytes.size(), LWS_WRITE_HTTP) >= 0;
}

/// The length of the body that the headers announce, or why it cannot be taken.
struct BodyPlan {
  std::size_t bytes = 0;
  std::optional<Response> refused;
};

BodyPlan plan_body(const RequestHead& head) {
  BodyPlan plan;
  if (!head.transfer_encodings.empty()) {
    plan.refused = error_response(411, "length_required", "send a Content-Length, not chunks");
    return plan;
  }
  if (head.content_lengths.empty()) {
    const bool needs_length =
        head.method == Method::post || head.method == Method::put || head.method == Method::patch;
    if (needs_length) {
      plan.refused = error_response(411, "length_required", "send a Content-Length");
    }
    return plan;
  }
  const std::string& text = head.content_lengths.front();
  const auto digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (head.content_lengths.size() > 1 || text.empty() || !digits) {
    plan.refused = error_response(400, "bad_request", "the Content-Length is not one number");
    return plan;
  }
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), plan.bytes);
  if (parsed.ec != std::errc() || plan.bytes > limits::kBodyBytesMax) {
    plan.refused = error_response(
        413, "too_large", "a body has " + std::to_string(limits::kBodyBytesMax) + " bytes at most");
  }
  return plan;
}

}  // namespace

/// The body of a streamed answer, as the endpoint sees it.
class HttpExchange::Stream final : public SocketConnection {
 public:
  explicit Stream(Peer& peer) : SocketConnection(peer) {}

  void write_text(std::string_view text) override {
    write_failed_ = !write_raw(peer().wsi(), text);
  }
  void write_frames(std::string_view frames) override { write_text(frames); }
  void close(CloseCode /*code*/, std::string_view /*reason*/) override {
    if (!closing()) {
      set_closing();
      ask_for_writable();
    }
  }
  // A client of a stream has nothing more to say.
  void pause_reading() override {}
  void resume_reading() override {}

  /// False: the stream is over.
  bool on_writable() {
    if (closing()) {
      return false;
    }
    heard();  // it reads, that is all the life we can ask for
    lws_rx_flow_control(peer().wsi(), 0);
    writable();
    return !write_failed_;
  }

 protected:
  void ask_for_writable() override {
    // libwebsockets serves no writes while reading is paused; reading is paused between writes
    // because an HTTP client that has half closed would otherwise keep the thread spinning.
    lws_rx_flow_control(peer().wsi(), 1);
    lws_callback_on_writable(peer().wsi());
  }
  void ping() override {}  // the heartbeat of the stream's endpoint does this
  void give_up() override { peer().hang_up(); }

 private:
  bool write_failed_ = false;
};

HttpExchange::HttpExchange(Peer& peer, RequestHead head)
    : peer_(peer),
      head_(std::move(head)),
      deadline_(peer.loop().timers(), [this] { give_up(); }),
      pace_timer_(peer.loop().timers(), [this] { check_pace(); }),
      target_(std::make_shared<Responder::Target>()) {
  target_->life = std::make_shared<Lifeline>(peer.loop().tasks());
  target_->exchange = this;
  target_->loop = &peer.loop();
}

HttpExchange::~HttpExchange() { target_->life->alive = false; }

void HttpExchange::accept(const Router::Match& match) {
  BodyPlan plan = plan_body(head_);
  if (plan.refused) {
    answer(*plan.refused);
    return;
  }
  route_ = match.route;
  captures_ = match.captures;
  body_bytes_expected_ = plan.bytes;
  if (body_bytes_expected_ == 0) {
    dispatch();
    return;
  }
  receiving_ = true;
  deadline_.set(peer_.loop().context().deadlines.request);
  pace_timer_.set(peer_.loop().context().deadlines.body_span);
  if (head_.expect == "100-continue") {
    (void)write_raw(peer_.wsi(), "HTTP/1.1 100 Continue\r\n\r\n");
  }
}

/// A body that trickles would hold its connection for as long as the whole deadline.
void HttpExchange::check_pace() {
  const std::chrono::milliseconds span = peer_.loop().context().deadlines.body_span;
  if (pace_.keeps_up(body_.size(), span)) {
    pace_timer_.set(span);
  } else {
    give_up();
  }
}

/// The request, or the reader of our answer, takes too long.
void HttpExchange::give_up() {
  if (std::exchange(receiving_, false)) {
    pace_timer_.stop();
    answer(error_response(408, "too_slow", "the body of the request took too long to arrive"));
  } else {
    peer_.hang_up();
  }
}

int HttpExchange::on_body(std::string_view piece) {
  if (!receiving_) {
    return 0;
  }
  if (body_.size() + piece.size() > body_bytes_expected_) {
    return -1;
  }
  body_ += piece;
  return 0;
}

void HttpExchange::on_body_complete() {
  // libwebsockets says so again whenever more input comes before the answer has left.
  if (std::exchange(receiving_, false)) {
    deadline_.stop();
    pace_timer_.stop();
    dispatch();
  }
}

void HttpExchange::dispatch() {
  Request request{std::move(head_), std::move(captures_), std::move(body_)};
  head_.method = request.head.method;
  route_->handler(std::move(request), Responder(target_));
  if (!answered_) {
    wait_for_answer();
  }
}

void HttpExchange::wait_for_answer() {
  paused_ = true;
  lws_rx_flow_control(peer_.wsi(), 0);
}

void HttpExchange::resume() {
  if (std::exchange(paused_, false) || stream_) {
    lws_rx_flow_control(peer_.wsi(), 1);
  }
  lws_callback_on_writable(peer_.wsi());
}

void HttpExchange::answer(const Response& response) {
  if (std::exchange(answered_, true)) {
    return;
  }
  answer_ =
      response_head(response.status, response.content_type, response.body.size(), response.headers);
  if (head_.method != Method::head && response.status != 204) {
    answer_ += response.body;
  }
  resume();
}

void HttpExchange::stream(std::string_view content_type, const EndpointMaker& maker) {
  if (std::exchange(answered_, true)) {
    return;
  }
  answer_ = response_head(200, content_type, std::nullopt, {});
  if (head_.method != Method::head) {
    stream_ = std::make_unique<Stream>(peer_);
    stream_->open(maker);
  }
  resume();
}

bool HttpExchange::on_writable() {
  if (written_bytes_ < answer_.size()) {
    return write_answer();
  }
  if (stream_) {
    return stream_->on_writable();
  }
  // The last piece has left, which is why we are asked for more.
  return !answered_;
}

bool HttpExchange::write_answer() {
  const std::string_view piece =
      std::string_view(answer_).substr(written_bytes_, limits::kWriteChunkBytes);
  written_bytes_ += piece.size();
  // A reader that does not take its answer is cut off.
  deadline_.set(peer_.loop().context().deadlines.stalled);
  if (!write_raw(peer_.wsi(), piece)) {
    return false;
  }
  if (stream_) {
    deadline_.stop();
  }
  lws_callback_on_writable(peer_.wsi());
  return true;
}

void HttpExchange::on_log_moved() {
  if (stream_) {
    stream_->on_log_moved();
  }
}

void HttpExchange::write_now() {
  if (stream_) {
    stream_->write_now();
  }
}

bool HttpExchange::is_lost() const {
  return target_->life->lost.load() || (stream_ && stream_->is_lost());
}

void HttpExchange::on_stop() {
  if (stream_) {
    stream_->on_stop();
  }
}

void Responder::send(Response response) const {
  if (target_->loop->on_this_thread()) {
    if (target_->life->alive) {
      target_->exchange->answer(response);
    }
    return;
  }
  const std::size_t bytes = response.body.size();
  const bool taken = target_->life->tasks->post(
      [target = target_, response = std::move(response)] {
        if (target->life->alive) {
          target->exchange->answer(response);
        }
      },
      bytes);
  if (!taken) {
    target_->life->lost.store(true);
  }
}

void Responder::stream(std::string_view content_type, const EndpointMaker& maker) const {
  if (target_->life->alive) {
    target_->exchange->stream(content_type, maker);
  }
}

Connection::Poster Responder::poster() const { return Lifeline::poster(target_->life); }

}  // namespace vibes::net
