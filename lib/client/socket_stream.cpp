// SPDX-License-Identifier: MIT
#include "client/socket_stream.hpp"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <poll.h>

#include "base/limits.hpp"
#include "client/errc.hpp"
#include "client/look_up.hpp"

namespace vibes::client {
namespace {

Result<void> wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd waiting{fd, events, 0};
    const auto left = left_until(deadline);
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    if (ready == 0 && left_until(deadline).count() == 0) {
      return fail(make_error_code(Errc::timed_out), {});
    }
  }
}

/// Connects one address. The errno of the attempt, 0 on success.
Result<int> try_address(int fd, const sockaddr* address, socklen_t size, Deadline deadline) {
  if (::connect(fd, address, size) == 0) {
    return 0;
  }
  if (errno != EINPROGRESS) {
    return errno;
  }
  VIBES_TRY(wait_for(fd, POLLOUT, deadline));
  int error = 0;
  socklen_t error_size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) {
    return errno;
  }
  return error;
}

Unexpected cannot_connect(const Endpoint& endpoint, const std::string& why) {
  return fail(make_error_code(Errc::cannot_connect), endpoint.url() + ": " + why);
}

Result<UniqueFd> connect_unix(const Endpoint& endpoint, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = endpoint.socket.string();
  if (path.size() >= sizeof address.sun_path) {
    return cannot_connect(endpoint, "the path of a socket may have at most 107 bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return fail_errno("cannot make a socket");
  }
  VIBES_TRY_ASSIGN(error, try_address(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                                      sizeof address, deadline));
  if (error != 0) {
    return cannot_connect(endpoint, std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
  }
  return fd;
}

Result<UniqueFd> connect_tcp(const Endpoint& endpoint, Deadline deadline) {
  auto addresses = look_up(endpoint.host, endpoint.port);
  if (!addresses) {
    return cannot_connect(endpoint, addresses.error().context);
  }
  int last_error = ENOENT;
  for (const Address& at : *addresses) {
    UniqueFd fd(::socket(at.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
      last_error = errno;
      continue;
    }
    VIBES_TRY_ASSIGN(error, try_address(fd.get(), reinterpret_cast<const sockaddr*>(&at.bytes),
                                        at.size, deadline));
    if (error == 0) {
      const int one = 1;
      (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      return fd;
    }
    last_error = error;
  }
  return cannot_connect(endpoint, std::strerror(last_error));  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace

Result<SocketStream> SocketStream::connect(const Endpoint& endpoint, Deadline deadline) {
  const bool local = endpoint.transport == Endpoint::Transport::unix_socket;
  VIBES_TRY_ASSIGN(fd, local ? connect_unix(endpoint, deadline) : connect_tcp(endpoint, deadline));
  return SocketStream(std::move(fd));
}

Result<void> SocketStream::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      VIBES_TRY(wait_for(fd_.get(), POLLOUT, deadline));
    } else if (errno != EINTR) {
      return fail(make_error_code(Errc::connection_lost),
                  std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
    }
  }
  return {};
}

Result<bool> SocketStream::read(std::string& out, Deadline deadline) {
  constexpr std::size_t kReadBytes = 64 * limits::kKiB;
  const std::size_t before = out.size();
  out.resize(before + kReadBytes);
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), out.data() + before, kReadBytes, 0);
    out.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got >= 0) {
      return got > 0;
    }
    if (errno == EAGAIN) {
      VIBES_TRY(wait_for(fd_.get(), POLLIN, deadline));
    } else if (errno != EINTR) {
      return fail(make_error_code(Errc::connection_lost),
                  std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
    }
    out.resize(before + kReadBytes);
  }
}

}  // namespace vibes::client
