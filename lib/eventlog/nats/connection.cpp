// SPDX-License-Identifier: MIT
#include "eventlog/nats/connection.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/failure.hpp"

namespace vibes::eventlog::nats {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kHostWithin{2'000};  // to connect to one of them
constexpr milliseconds kHostAtLeast{200};
constexpr int kPingsOutMax = 2;

std::atomic<int> open_count = 0;

milliseconds left_until(Deadline until) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(until - steady_clock::now()));
}

/// Collects the first status that is not NATS_OK of many calls that set an option each.
class FirstFailure {
 public:
  void operator()(natsStatus status) {
    if (first_ == NATS_OK) {
      first_ = status;
    }
  }
  [[nodiscard]] natsStatus status() const { return first_; }

 private:
  natsStatus first_ = NATS_OK;
};

std::vector<std::string> server_urls(const NatsOptions& options) {
  std::vector<std::string> urls;
  urls.reserve(options.hosts.size());
  for (const NatsOptions::Host& host : options.hosts) {
    urls.push_back("nats://" + host.address());
  }
  return urls;
}

void set_servers(natsOptions* to, const NatsOptions& options, FirstFailure& check) {
  const auto urls = server_urls(options);
  std::vector<const char*> pointers;
  pointers.reserve(urls.size());
  for (const std::string& url : urls) {
    pointers.push_back(url.c_str());
  }
  check(natsOptions_SetServers(to, pointers.data(), static_cast<int>(pointers.size())));
}

void set_identity(natsOptions* to, const NatsOptions& options, FirstFailure& check) {
  if (!options.credentials.empty()) {
    check(natsOptions_SetUserCredentialsFromFiles(to, options.credentials.c_str(), nullptr));
  } else if (options.password) {
    check(natsOptions_SetUserInfo(to, options.user.c_str(), options.password->c_str()));
  } else if (!options.user.empty()) {
    check(natsOptions_SetToken(to, options.user.c_str()));
  }
}

void set_tls(natsOptions* to, const NatsOptions& options, FirstFailure& check) {
  if (options.transport != NatsOptions::Transport::tls) {
    return;
  }
  check(natsOptions_SetSecure(to, true));
  if (!options.authority.empty()) {
    check(natsOptions_LoadCATrustedCertificates(to, options.authority.c_str()));
  }
  if (!options.certificate.empty()) {
    check(natsOptions_LoadCertificatesChain(to, options.certificate.c_str(), options.key.c_str()));
  }
}

/// Without a handler libnats writes to stderr. What it has to say is found out in other ways.
void ignore_error(natsConnection*, natsSubscription*, natsStatus, void*) {}

/// Another attempt would end like this one.
bool is_final(natsStatus status) {
  return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_SSL_ERROR ||
         status == NATS_SECURE_CONNECTION_REQUIRED || status == NATS_SECURE_CONNECTION_WANTED;
}

}  // namespace

Result<NatsPtr<natsOptions>> Connection::make_options(Deadline until) {
  NatsPtr<natsOptions> made;
  FirstFailure check;
  check(natsOptions_Create(Out(made)));
  if (made == nullptr) {
    return request_failed("libnats", check.status());
  }
  natsOptions* to = made.get();
  set_servers(to, options_, check);
  set_identity(to, options_, check);
  set_tls(to, options_, check);
  const auto hosts = static_cast<std::int64_t>(options_.hosts.size());
  check(natsOptions_SetTimeout(
      to, std::clamp(left_until(until) / hosts, kHostAtLeast, kHostWithin).count()));
  check(natsOptions_SetName(to, "vibes"));
  check(natsOptions_SetMaxReconnect(to, -1));
  check(natsOptions_SetCustomReconnectDelay(to, reconnect_delay, nullptr));
  // An append that was told to be unreachable must not be sent later.
  check(natsOptions_SetReconnectBufSize(to, 0));
  check(natsOptions_SetFailRequestsOnDisconnect(to, true));
  check(natsOptions_SetPingInterval(to, limits::kEngineRequestWithin.count()));
  check(natsOptions_SetMaxPingsOut(to, kPingsOutMax));
  // Else a thread of libnats waits for more before it writes.
  check(natsOptions_SetSendAsap(to, true));
  check(natsOptions_SetErrorHandler(to, ignore_error, nullptr));
  check(natsOptions_SetDisconnectedCB(to, disconnected, this));
  check(natsOptions_SetReconnectedCB(to, reconnected, this));
  check(natsOptions_SetClosedCB(to, closed, this));
  if (check.status() != NATS_OK) {
    return request_failed(options_.addresses(), check.status());
  }
  return made;
}

Result<void> Connection::connect(Deadline until) {
  if (!options_.credentials.empty() && ::access(options_.credentials.c_str(), R_OK) != 0) {
    return fail(make_error_code(Errc::unauthorized),
                fmt::format("cannot read {}", options_.credentials.string()));
  }
  milliseconds wait = limits::kEngineRetryFirst;
  for (;;) {
    VIBES_TRY_ASSIGN(options, make_options(until));
    const natsStatus status = natsConnection_Connect(Out(connection_), options.get());
    if (status == NATS_OK) {
      ++open_count;
      return {};
    }
    if (is_final(status) || left_until(until) <= wait) {
      return request_failed(options_.addresses(), status);
    }
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 2, limits::kEngineRetryLast);
  }
}

Result<void> Connection::open(Deadline until) {
  VIBES_TRY(connect(until));
  if (natsConnection_HasHeaderSupport(connection_.get()) != NATS_OK) {
    return fail(make_error_code(Errc::other_settings),
                fmt::format("{}: the server is too old", options_.addresses()));
  }
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = limits::kEngineRequestWithin.count();
  const natsStatus status = natsConnection_JetStream(Out(jetstream_), connection_.get(), &options);
  if (status != NATS_OK) {
    return request_failed(options_.addresses(), status);
  }
  connected_ = true;
  return {};
}

void Connection::begin_close() {
  const MutexLock lock(mutex_);
  closing_ = true;
  connected_ = false;
  wake_.notify_all();
}

void Connection::close() {
  begin_close();
  if (connection_ == nullptr) {
    return;
  }
  jetstream_.reset();
  natsConnection_Close(connection_.get());
  {
    // The last callback of a connection. libnats runs them on one thread, in order.
    MutexLock lock(mutex_);
    while (!closed_) {
      wake_.wait(lock);
    }
  }
  connection_.reset();
  --open_count;
}

int Connection::count_open() { return open_count; }

void Connection::wait_connected(Deadline until, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    wake_.notify_all();
  });
  MutexLock lock(mutex_);
  while (!connected_ && !closing_ && !stop.stop_requested()) {
    if (wake_.wait_until(lock, until) == std::cv_status::timeout) {
      return;
    }
  }
}

void Connection::pause(Deadline until, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    wake_.notify_all();
  });
  MutexLock lock(mutex_);
  while (!closing_ && !stop.stop_requested()) {
    if (wake_.wait_until(lock, until) == std::cv_status::timeout) {
      return;
    }
  }
}

void Connection::disconnected(natsConnection*, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  connection.connected_ = false;
  if (connection.closing_) {
    return;
  }
  if (connection.lost_) {
    connection.lost_();
  }
  if (connection.changed_) {
    connection.changed_();
  }
}

void Connection::reconnected(natsConnection*, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  {
    const MutexLock lock(connection.mutex_);
    ++connection.epoch_;
    connection.connected_ = !connection.closing_;
    connection.wake_.notify_all();
  }
  if (!connection.closing_ && connection.changed_) {
    connection.changed_();
  }
}

void Connection::closed(natsConnection*, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  const MutexLock lock(connection.mutex_);
  connection.closed_ = true;
  connection.wake_.notify_all();
}

std::int64_t Connection::reconnect_delay(natsConnection*, int attempts, void*) {
  // All clients of a server that came back must not come at once.
  constexpr int kDoublingsMax = 7;
  const auto whole =
      std::min(limits::kEngineRetryFirst * (1 << std::clamp(attempts - 1, 0, kDoublingsMax)),
               limits::kEngineRetryLast);
  const auto jitter = steady_clock::now().time_since_epoch().count() % (whole.count() / 4 + 1);
  return whole.count() - jitter;
}

}  // namespace vibes::eventlog::nats
