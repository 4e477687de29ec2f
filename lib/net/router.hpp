// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "net/endpoint_maker.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// Who may use a route.
enum class Access : std::uint8_t {
  token,  // who shows the token, or comes through the unix socket
  open,   // anyone on this machine
};

/// Checks the query and says how to make the endpoint; see EndpointMaker.
using WebsocketPlan = std::function<Result<EndpointMaker>(const Query&)>;

struct HttpRoute {
  Method method = Method::get;
  std::vector<std::string> segments;  // "*" stands for any one segment
  Access access = Access::token;
  HttpHandler handler;
};

struct WebsocketRoute {
  std::string path;
  std::size_t message_bytes_max = limits::kEventBytesMax;
  WebsocketPlan plan;
};

/// Which handler a path belongs to. Filled before the server starts, then only read.
class Router {
 public:
  void add(Method method, std::string_view pattern, Access access, HttpHandler handler);
  void add(WebsocketRoute route) { websockets_.push_back(std::move(route)); }

  struct Match {
    const HttpRoute* route = nullptr;
    std::vector<std::string> captures;
    std::string allow;  // where the path is known but not with this method: the methods it takes
  };
  /// HEAD is served by the route for GET.
  [[nodiscard]] Match find(Method method, std::string_view path) const;
  [[nodiscard]] const WebsocketRoute* find_websocket(std::string_view path) const;

 private:
  std::vector<HttpRoute> routes_;
  std::vector<WebsocketRoute> websockets_;
};

}  // namespace vibes::net
