// SPDX-License-Identifier: MIT
#include "net/request_head.hpp"

#include <array>

#include <libwebsockets.h>

#include "base/limits.hpp"

namespace vibes::net {

namespace {

/// One string per occurrence of the header. libwebsockets keeps repeated headers as fragments of
/// one.
std::vector<std::string> occurrences(lws* wsi, lws_token_indexes token) {
  std::vector<std::string> values;
  std::array<char, limits::kHeaderBytesMax + 1> buffer{};
  const auto size = static_cast<int>(buffer.size());
  if (lws_hdr_total_length(wsi, token) <= 0) {
    return values;
  }
  for (int i = 0;; ++i) {
    const int length = lws_hdr_copy_fragment(wsi, buffer.data(), size, token, i);
    if (length < 0) {
      return values;
    }
    values.emplace_back(buffer.data(), static_cast<std::size_t>(length));
  }
}

std::string first(lws* wsi, lws_token_indexes token) {
  const std::vector<std::string> values = occurrences(wsi, token);
  return values.empty() ? std::string() : values.front();
}

/// A header that libwebsockets has no token for; `name` in lower case with its colon.
std::string custom(lws* wsi, std::string_view name) {
  std::array<char, limits::kHeaderBytesMax + 1> buffer{};
  const int length = lws_hdr_custom_copy(wsi, buffer.data(), static_cast<int>(buffer.size()),
                                         name.data(), static_cast<int>(name.size()));
  return length <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(length));
}

std::optional<Method> method_of(int lws_method) {
  switch (lws_method) {
    case LWSHUMETH_GET:
      return Method::get;
    case LWSHUMETH_HEAD:
      return Method::head;
    case LWSHUMETH_POST:
      return Method::post;
    case LWSHUMETH_PUT:
      return Method::put;
    case LWSHUMETH_DELETE:
      return Method::remove;
    case LWSHUMETH_PATCH:
      return Method::patch;
    case LWSHUMETH_OPTIONS:
      return Method::options;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<RequestHead> read_request_head(lws* wsi) {
  char* uri = nullptr;
  int uri_bytes = 0;
  const auto method = method_of(lws_http_get_uri_and_method(wsi, &uri, &uri_bytes));
  if (!method || uri == nullptr) {
    return std::nullopt;
  }
  RequestHead head;
  head.method = *method;
  head.path.assign(uri, static_cast<std::size_t>(uri_bytes));
  for (const std::string& argument : occurrences(wsi, WSI_TOKEN_HTTP_URI_ARGS)) {
    head.query.add(argument);
  }
  head.hosts = occurrences(wsi, WSI_TOKEN_HOST);
  head.origins = occurrences(wsi, WSI_TOKEN_ORIGIN);
  head.content_lengths = occurrences(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  head.transfer_encodings = occurrences(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
  head.authorization = first(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  head.content_type = first(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
  head.accept = first(wsi, WSI_TOKEN_HTTP_ACCEPT);
  head.expect = first(wsi, WSI_TOKEN_HTTP_EXPECT);
  head.upgrade = first(wsi, WSI_TOKEN_UPGRADE);
  head.websocket_version = first(wsi, WSI_TOKEN_VERSION);
  head.subprotocols = first(wsi, WSI_TOKEN_PROTOCOL);
  const std::vector<std::string> keys = occurrences(wsi, WSI_TOKEN_KEY);
  head.websocket_key = keys.size() == 1 ? keys.front() : std::string();
  head.sec_fetch_site = custom(wsi, "sec-fetch-site:");
  head.last_event_id = custom(wsi, "last-event-id:");
  head.idempotency_key = custom(wsi, "idempotency-key:");
  return head;
}

}  // namespace vibes::net
