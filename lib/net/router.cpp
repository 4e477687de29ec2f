// SPDX-License-Identifier: MIT
#include "net/router.hpp"

#include <algorithm>
#include <utility>

namespace vibes::net {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  return std::ranges::equal(pattern, segments, [](const std::string& p, const std::string& s) {
    return p == "*" ? !s.empty() : p == s;
  });
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Access access, HttpHandler handler) {
  routes_.push_back({method, split(pattern), access, std::move(handler)});
}

Router::Match Router::find(Method method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) {
    return match;
  }
  const std::vector<std::string> segments = split(path);
  const Method wanted = method == Method::head ? Method::get : method;
  for (const HttpRoute& route : routes_) {
    if (!matches(route.segments, segments)) {
      continue;
    }
    if (route.method != wanted) {
      match.allow += (match.allow.empty() ? "" : ", ") + std::string(to_string(route.method));
      continue;
    }
    match.route = &route;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (route.segments[i] == "*") {
        match.captures.push_back(segments[i]);
      }
    }
    return match;
  }
  return match;
}

const WebsocketRoute* Router::find_websocket(std::string_view path) const {
  const auto found = std::ranges::find(websockets_, path, &WebsocketRoute::path);
  return found == websockets_.end() ? nullptr : &*found;
}

}  // namespace vibes::net
