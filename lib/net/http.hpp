// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/endpoint_maker.hpp"
#include "net/query_string.hpp"

namespace vibes::net {

enum class Method : std::uint8_t { get, head, post, put, remove, patch, options };

std::string_view to_string(Method method);

/// What a client sent before the body, with every header that any of our rules looks at. A header
/// that must not be repeated is kept once per occurrence, so that the rule can see it.
struct RequestHead {
  Method method = Method::get;
  std::string path;  // percent-decoded, without dot segments
  QueryString query;
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::vector<std::string> content_lengths;
  std::vector<std::string> transfer_encodings;
  std::string sec_fetch_site;
  std::string authorization;
  std::string content_type;
  std::string accept;
  std::string expect;
  std::string last_event_id;
  std::string idempotency_key;
  // Only with an upgrade.
  std::string upgrade;
  std::string websocket_version;
  std::string websocket_key;
  std::string subprotocols;
};

/// A complete request as a handler sees it: checked, authenticated and routed.
struct Request {
  RequestHead head;
  std::vector<std::string> captures;  // what the route's `*` stood for, in order
  std::string body;
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// What an error answer says: {"error":{"code","message","reason"?,"line"?}}.
struct ErrorFacts {
  int status = 400;
  std::string_view code;
  std::string_view message;
  std::string_view reason = {};  // empty: none
  std::size_t line = 0;          // 0: none
};
Response error_response(const ErrorFacts& facts);
inline Response error_response(int status, std::string_view code, std::string_view message) {
  return error_response({.status = status, .code = code, .message = message});
}

/// The message beside the code bad_idempotency_key.
inline constexpr std::string_view kBadIdempotencyKey = "Idempotency-Key is a UUID, not all zero";

/// How a handler answers, once: at once or later. A value that may be kept, copied and used on any
/// thread; when the client has gone meanwhile it does nothing.
class Responder {
 public:
  struct Target;
  explicit Responder(std::shared_ptr<Target> target) : target_(std::move(target)) {}

  void send(Response response) const;
  /// Answers 200 with a body that the endpoint writes: every write_text() goes out as it is, until
  /// it closes. On the net thread only.
  void stream(std::string_view content_type, const EndpointMaker& maker) const;
  /// Runs `task` on the net thread, if the client is still there; see Connection::poster().
  [[nodiscard]] Connection::Poster poster() const;

 private:
  std::shared_ptr<Target> target_;
};

/// A Content-Type or one of Accept without its parameters, in lower case: "Application/JSON;
/// charset=utf-8" → "application/json".
std::string media_type(std::string_view header);

using HttpHandler = std::function<void(Request, const Responder&)>;

/// The first line and the headers of an answer, with those that every answer of ours carries.
std::string response_head(int status, std::string_view content_type,
                          std::optional<std::size_t> content_length,
                          const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace vibes::net
