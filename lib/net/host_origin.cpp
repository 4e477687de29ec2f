// SPDX-License-Identifier: MIT
#include "net/host_origin.hpp"

#include <algorithm>

namespace vibes::net {

void HostRules::add(const std::string& listen_host, std::uint16_t port) {
  constexpr std::uint16_t kHttpPort = 80;  // the one that a browser leaves out
  for (const std::string& host :
       {std::string("127.0.0.1"), std::string("::1"), std::string("localhost"), listen_host}) {
    const std::string name = host.find(':') != std::string::npos ? "[" + host + "]" : host;
    authorities_.push_back(name + ":" + std::to_string(port));
    if (port == kHttpPort) {
      authorities_.push_back(name);
    }
  }
}

bool HostRules::host_ok(const std::vector<std::string>& hosts) const {
  return hosts.size() == 1 && std::ranges::find(authorities_, hosts.front()) != authorities_.end();
}

bool HostRules::origin_ok(const std::vector<std::string>& origins) const {
  if (origins.empty()) {
    return true;
  }
  constexpr std::string_view kScheme = "http://";
  if (origins.size() != 1 || !origins.front().starts_with(kScheme)) {
    return false;
  }
  const std::string_view authority = std::string_view(origins.front()).substr(kScheme.size());
  return std::ranges::find(authorities_, authority) != authorities_.end();
}

std::optional<Response> refuse_foreign(const RequestHead& head, const HostRules& rules,
                                       Transport transport) {
  if (transport == Transport::unix_socket) {
    return std::nullopt;
  }
  if (!rules.host_ok(head.hosts)) {
    return error_response(421, "bad_host", "the Host header does not name this server");
  }
  if (!rules.origin_ok(head.origins)) {
    return error_response(403, "bad_origin", "requests from other origins are refused");
  }
  if (head.sec_fetch_site == "cross-site") {
    return error_response(403, "cross_site", "requests from other sites are refused");
  }
  return std::nullopt;
}

}  // namespace vibes::net
