// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

namespace vibes::net {

/// Under which names a browser may know us. A web page can make a browser connect to any address of
/// this machine, also by rebinding its own name to it; then only Host and Origin tell who is
/// asking.
class HostRules {
 public:
  /// We listen on this literal address ("127.0.0.1", "::1"); with its port 127.0.0.1, [::1] and
  /// localhost are ours too.
  void add(const std::string& listen_host, std::uint16_t port);

  /// Exactly one Host, exactly one of our names with our port.
  [[nodiscard]] bool host_ok(const std::vector<std::string>& hosts) const;
  /// No Origin, or exactly one of ours.
  [[nodiscard]] bool origin_ok(const std::vector<std::string>& origins) const;

 private:
  std::vector<std::string> authorities_;
};

/// Whether the request came from a TCP connection, where a browser may stand behind it, or a unix
/// socket, which no browser can reach.
enum class Transport : std::uint8_t { tcp, unix_socket };

/// What is wrong with a request before anything is looked up for it: 421 for the Host, 403 for
/// Origin and Sec-Fetch-Site.
std::optional<Response> refuse_foreign(const RequestHead& head, const HostRules& rules,
                                       Transport transport);

}  // namespace vibes::net
