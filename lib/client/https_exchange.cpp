// SPDX-License-Identifier: MIT
#include "client/https_exchange.hpp"

#include <array>
#include <memory>

#include <libwebsockets.h>

#include "base/limits.hpp"
#include "client/errc.hpp"
#include "client/http_client.hpp"
#include "client/http_parser.hpp"

namespace vibes::client {
namespace {

constexpr std::size_t kBufferBytes = 64 * limits::kKiB;
constexpr const char* kProtocolName = "vibes-https";

class Exchange {
 public:
  Exchange(const Target& target, const HttpRequest& request) : target_(target), request_(request) {}

  Result<HttpResponse> run(Deadline deadline) {
    lws_set_log_level(0, nullptr);
    static const std::array<lws_protocols, 2> kProtocols{
        {{kProtocolName, &Exchange::callback, 0, kBufferBytes, 0, nullptr, 0},
         {nullptr, nullptr, 0, 0, 0, nullptr, 0}}};
    lws_context_creation_info info{};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = kProtocols.data();
    info.user = this;
    info.fd_limit_per_thread = 4;
    info.pt_serv_buf_size = kBufferBytes;
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    const std::unique_ptr<lws_context, decltype(&lws_context_destroy)> context(
        lws_create_context(&info), &lws_context_destroy);
    if (!context) {
      return fail(std::make_error_code(std::errc::not_enough_memory),
                  "libwebsockets cannot make a context");
    }
    if (start(context.get())) {
      serve(context.get(), deadline);
    }
    return outcome();
  }

 private:
  bool start(lws_context* context) {
    const std::string host = target_.endpoint.host_header();
    lws_client_connect_info info{};
    info.context = context;
    info.address = target_.endpoint.host.c_str();
    info.port = target_.endpoint.port;
    info.path = request_.path.c_str();
    info.host = host.c_str();
    info.method = request_.method.c_str();
    info.local_protocol_name = kProtocolName;
    info.alpn = "http/1.1";
    info.ssl_connection = LCCSCF_USE_SSL | LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    return lws_client_connect_via_info(&info) != nullptr;
  }

  void serve(lws_context* context, Deadline deadline) const {
    lws_sorted_usec_list_t timer{};
    while (!done_ && left_until(deadline).count() > 0) {
      lws_sul_schedule(
          context, 0, &timer, [](lws_sorted_usec_list_t*) {},
          std::chrono::duration_cast<std::chrono::microseconds>(left_until(deadline)).count());
      (void)lws_service(context, 0);
    }
    lws_sul_schedule(context, 0, &timer, nullptr, LWS_SET_TIMER_USEC_CANCEL);
  }

  Result<HttpResponse> outcome() {
    if (complete_) {
      return std::move(response_);
    }
    const std::string whom = target_.endpoint.url();
    if (!done_ && connect_error_.empty()) {
      return fail(make_error_code(Errc::timed_out), whom);
    }
    if (response_.status == 0) {
      return fail(make_error_code(Errc::cannot_connect), whom + ": " + connect_error_);
    }
    return fail(make_error_code(Errc::connection_lost), whom);
  }

  static int callback(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in,
                      std::size_t len) {
    auto* self = static_cast<Exchange*>(lws_context_user(lws_get_context(wsi)));
    return self == nullptr ? 0 : self->on_reason(wsi, reason, static_cast<char*>(in), len);
  }

  int on_reason(lws* wsi, lws_callback_reasons reason, char* in, std::size_t len) {
    switch (reason) {
      case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return on_handshake(wsi, reinterpret_cast<unsigned char**>(in), len);
      case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        return on_writable(wsi);
      case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        response_.status = static_cast<int>(lws_http_client_http_response(wsi));
        keep_header(wsi, WSI_TOKEN_HTTP_RETRY_AFTER, "retry-after");
        return 0;
      case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return on_body_ready(wsi);
      case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        response_.body.append(in, len);
        return response_.body.size() > kAnswerBytesMax ? -1 : 0;
      case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        complete_ = done_ = true;
        return -1;
      case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        connect_error_ = in != nullptr ? std::string(in, len) : "refused";
        done_ = true;
        return 0;
      case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        done_ = true;
        return 0;
      default:
        return 0;
    }
  }

  void keep_header(lws* wsi, lws_token_indexes token, const char* name) {
    std::array<char, 256> value{};
    if (lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), token) > 0) {
      response_.headers.emplace_back(name, value.data());
    }
  }

  int on_handshake(lws* wsi, unsigned char** at, std::size_t room) {
    auto headers = request_.headers;
    if (!target_.token.empty()) {
      headers.emplace_back("authorization", "Bearer " + target_.token);
    }
    if (!request_.body.empty()) {
      headers.emplace_back("content-length", std::to_string(request_.body.size()));
      lws_client_http_body_pending(wsi, 1);
      lws_callback_on_writable(wsi);
    }
    unsigned char* const end = *at + room;
    for (const auto& [name, value] : headers) {
      const std::string key = name + ":";
      if (lws_add_http_header_by_name(wsi, reinterpret_cast<const unsigned char*>(key.c_str()),
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), at, end) != 0) {
        return -1;
      }
    }
    return 0;
  }

  int on_writable(lws* wsi) {
    const std::size_t size = std::min(kBufferBytes, request_.body.size() - sent_);
    if (size == 0) {
      return 0;
    }
    std::string piece(LWS_PRE, '\0');
    piece.append(request_.body, sent_, size);
    sent_ += size;
    const bool last = sent_ == request_.body.size();
    if (last) {
      lws_client_http_body_pending(wsi, 0);
    }
    if (lws_write(wsi, reinterpret_cast<unsigned char*>(piece.data()) + LWS_PRE, size,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
      return -1;
    }
    if (!last) {
      lws_callback_on_writable(wsi);
    }
    return 0;
  }

  static int on_body_ready(lws* wsi) {
    static thread_local std::array<char, kBufferBytes + LWS_PRE> buffer;
    char* at = buffer.data() + LWS_PRE;
    int room = static_cast<int>(kBufferBytes);
    return lws_http_client_read(wsi, &at, &room) < 0 ? -1 : 0;
  }

  const Target& target_;
  const HttpRequest& request_;
  HttpResponse response_;
  std::string connect_error_;
  std::size_t sent_ = 0;
  bool done_ = false;
  bool complete_ = false;
};

Result<HttpResponse> exchange(const Target& target, const HttpRequest& request, Deadline deadline) {
  return Exchange(target, request).run(deadline);
}

}  // namespace

void enable_https() { speak_https(&exchange); }

}  // namespace vibes::client
