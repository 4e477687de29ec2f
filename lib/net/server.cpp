// SPDX-License-Identifier: MIT
#include "net/server.hpp"

#include <algorithm>
#include <utility>

#include <libwebsockets.h>
#include <unistd.h>

namespace vibes::net {

namespace {

std::string url_of(const ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  VIBES_TRY(server->open_listeners());
  return server;
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

Result<void> Server::open_listeners() {
  for (ListenAddress& address : options_.listen) {
    VIBES_TRY_ASSIGN(socket, listen_tcp(address));
    listeners_.push_back({std::move(socket), Transport::tcp});
    context_.host_rules.add(address.host, address.port);
  }
  if (options_.unix_path) {
    VIBES_TRY_ASSIGN(socket, listen_unix(*options_.unix_path));
    listeners_.push_back({std::move(socket), Transport::unix_socket});
    owns_unix_path_ = true;
  }
  if (!options_.listen.empty()) {
    url_ = url_of(options_.listen.front());
  } else if (options_.unix_path) {
    url_ = "unix:" + options_.unix_path->string();
  }
  return {};
}

Result<void> Server::start(eventlog::EventLog& log) {
  for (unsigned i = 0; i < options_.net_threads; ++i) {
    auto loop = std::make_unique<Loop>(context_);
    VIBES_TRY(loop->start());
    loops_.push_back(std::move(loop));
  }
  subscription_ = log.signal().listen([this](Offset) {
    for (const auto& loop : loops_) {
      loop->log_moved();
    }
  });
  acceptor_ = std::make_unique<Acceptor>(
      std::move(listeners_), context_.counts, options_.connections_max,
      [this](UniqueFd socket, Transport transport) { adopt(std::move(socket), transport); },
      [this] {
        for (const auto& loop : loops_) {
          loop->evict_strangers();
        }
      });
  return acceptor_->start();
}

/// To the thread with the fewest connections.
void Server::adopt(UniqueFd socket, Transport transport) {
  const auto fewest = std::ranges::min_element(
      loops_, {}, [](const std::unique_ptr<Loop>& loop) { return loop->connections(); });
  (*fewest)->adopt(std::move(socket), transport);
}

void Server::stop(std::chrono::milliseconds within) {
  if (acceptor_) {
    acceptor_->stop();
    acceptor_.reset();
  }
  listeners_.clear();
  if (std::exchange(owns_unix_path_, false)) {
    (void)::unlink(options_.unix_path->c_str());
  }
  for (const auto& loop : loops_) {
    loop->stop(within);
  }
  for (const auto& loop : loops_) {
    loop->join();
  }
  subscription_ = {};
  loops_.clear();
}

std::string libwebsockets_version() { return lws_get_library_version(); }

void redirect_libwebsockets_log(void (*sink)(int level, const char* line)) {
  lws_set_log_level(LLL_ERR | LLL_WARN, sink);
}

}  // namespace vibes::net
