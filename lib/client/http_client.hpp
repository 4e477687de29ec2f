// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"

namespace vibes::client {

struct HttpRequest {
  std::string method = "GET";
  std::string path = "/";  // with its query, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
  /// `name` in lower case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// The Error that an answer which is no success stands for: Errc by the status and the wire's code,
/// and as context what the server said, "code: message (line N)".
Error http_error(const HttpResponse& response);
/// The wire's error code in such an answer ("bad_query"), empty if there is none.
std::string http_error_code(const HttpResponse& response);

/// Requests and answers with one server, one at a time. Keeps its connection between requests if
/// the server does; if a kept connection turns out to be dead before a byte of the answer came, a
/// GET is tried once on a new one (a POST is not: it may have been done; the caller knows whether
/// repeating it is safe).
///
/// http:// and unix: are spoken by hand over a plain socket, so that one request costs a process no
/// library start; https:// goes through what speak_https() was given. An answer's body is at most
/// 64 MiB. One thread at a time. Errors: cannot_connect, connection_lost, timed_out, bad_answer,
/// and bad_url for https:// without speak_https().
class HttpClient {
 public:
  explicit HttpClient(Target target);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// Makes the connection for the next send(), if there is none: whether anybody answers, before
  /// work is done for it. Nothing for https://.
  Result<void> open(Deadline deadline);
  /// Any status is a success here; see http_error().
  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline);
  /// send() in two steps, with something else to do between them: sends the request, and the answer
  /// is finish()'s. Nothing is tried again, and https:// cannot do it (bad_url). No other call
  /// between them; after an error there is nothing to finish.
  Result<void> begin(const HttpRequest& request, Deadline deadline);
  Result<HttpResponse> finish(Deadline deadline);
  /// The same, with an answer that is no 2xx turned into its Error.
  Result<HttpResponse> send_ok(const HttpRequest& request, Deadline deadline);

  [[nodiscard]] const Target& target() const { return target_; }

 private:
  class Connection;
  Result<HttpResponse> exchange(const HttpRequest& request, Deadline deadline);

  Target target_;
  std::unique_ptr<Connection> connection_;
};

/// One request over TLS, on a connection of its own.
using HttpsExchange = Result<HttpResponse> (*)(const Target&, const HttpRequest&, Deadline);
/// How every HttpClient of the process speaks https:// from now on; see enable_https(). Call it
/// before threads start.
void speak_https(HttpsExchange exchange);

/// `text` with everything but unreserved characters (RFC 3986) as %XX.
std::string percent_encode(std::string_view text);

}  // namespace vibes::client
