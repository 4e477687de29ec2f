// SPDX-License-Identifier: MIT
#include "client/refusal.hpp"

#include "client/errc.hpp"
#include "client/http_client.hpp"

namespace vibes::client {

Error reason_of_refusal(const Target& target, std::string_view path, int status,
                        Deadline deadline) {
  HttpRequest request;
  request.path = path;
  request.headers = {{"Connection", "Upgrade"},
                     {"Upgrade", "websocket"},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  if (target.endpoint.transport != Endpoint::Transport::tls) {
    const auto answer = HttpClient(target).send(request, deadline);
    if (answer && answer->status == status) {
      return http_error(*answer);
    }
  }
  return Error{make_error_code(errc_of({}, status)),
               target.endpoint.url() + " answered " + std::to_string(status)};
}

}  // namespace vibes::client
