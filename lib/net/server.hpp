// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "eventlog/event_log.hpp"
#include "net/acceptor.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"

namespace vibes::net {

struct ServerOptions {
  std::vector<ListenAddress> listen;
  std::optional<std::filesystem::path> unix_path;
  unsigned net_threads = 1;
  std::size_t connections_max = limits::kConnectionsMax;
};

/// The sockets and the net threads. Made in two steps, so that the port is known before anyone is
/// served: listen(), fill context(), start().
class Server {
 public:
  /// Opens the listeners; whoever connects waits. Errors: as listen_tcp() and listen_unix().
  static Result<std::unique_ptr<Server>> listen(ServerOptions options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Routes, token and deadlines; not to be changed after start().
  [[nodiscard]] LoopContext& context() { return context_; }
  /// "http://127.0.0.1:7432", or "unix:PATH" where no TCP port is open.
  [[nodiscard]] const std::string& url() const { return url_; }

  /// Serves. From now on the net threads hear of every commit of the log, which must outlive the
  /// server.
  Result<void> start(eventlog::EventLog& log);

  /// Accepts no more, lets every connection finish and waits for that, at most `within`.
  /// Idempotent.
  void stop(std::chrono::milliseconds within);

  [[nodiscard]] std::size_t connections() const { return context_.counts.total.load(); }

 private:
  explicit Server(ServerOptions options) : options_(std::move(options)) {}
  Result<void> open_listeners();
  void adopt(UniqueFd socket, Transport transport);

  ServerOptions options_;
  std::string url_;
  bool owns_unix_path_ = false;  // the socket there is ours to remove
  LoopContext context_;
  std::vector<Acceptor::Listener> listeners_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Acceptor> acceptor_;
  eventlog::CommitSignal::Subscription subscription_;
};

/// The version of libwebsockets that this process runs with.
std::string libwebsockets_version();
/// Gives what libwebsockets has to say to `sink`, warnings and errors only. Once, before any
/// server.
void redirect_libwebsockets_log(void (*sink)(int level, const char* line));

}  // namespace vibes::net
