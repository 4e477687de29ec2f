// SPDX-License-Identifier: MIT
#include "net/listener.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <unistd.h>

#include "base/paths.hpp"

namespace vibes::net {

namespace {

constexpr int kBacklog = 4'096;
// BBR, the default of some machines, paces what is sent to the rate that it takes for the network's
// (tcp(7), TCP_CONGESTION): on the loopback that only makes readers wait, and costs timers on both
// sides. Every kernel has Reno, which sends what there is room for.
constexpr std::string_view kUnpaced = "reno";

Unexpected bad_address(std::string_view text, std::string_view why) {
  return fail(std::make_error_code(std::errc::invalid_argument),
              std::string(text) + ": " + std::string(why));
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24U == 127U;
  }
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const ListenAddress& address) {
  SocketAddress made;
  if (address.host.find(':') != std::string::npos) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
    made.size = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&made.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr);
    made.size = sizeof *v4;
  }
  return made;
}

Result<sockaddr_un> unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) {
    return fail(std::make_error_code(std::errc::filename_too_long),
                text + ": a unix socket's path has " + std::to_string(sizeof address.sun_path - 1) +
                    " bytes at most");
  }
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return address;
}

/// Removes what a dead server left. Where one still answers, or no socket is in the way, an error.
Result<void> remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? Result<void>() : fail_errno(path.string());
  }
  if (!S_ISSOCK(status.st_mode)) {
    return fail(std::make_error_code(std::errc::file_exists),
                path.string() + " is in the way and is no socket");
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) {
    return fail_errno("socket");
  }
  const int answer =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (answer == 0 || errno != ECONNREFUSED) {
    return fail(std::make_error_code(std::errc::address_in_use),
                path.string() + ": another vibes-server listens here");
  }
  return ::unlink(path.c_str()) == 0 ? Result<void>() : fail_errno(path.string());
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return bad_address(text, "expected HOST:PORT");
  }
  ListenAddress address;
  const std::string_view digits = text.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
    return bad_address(text, "the port is a number from 0 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad_address(text, "an IPv6 address goes in brackets: [::1]:7432");
  }
  if (!host.empty() && host != "localhost") {
    address.host = host;
  }
  if (!is_loopback(address.host)) {
    return bad_address(text,
                       "only loopback addresses (127.0.0.1, [::1]): listening for other machines "
                       "needs TLS, which this version does not have");
  }
  return address;
}

Result<UniqueFd> listen_tcp(ListenAddress& address) {
  const std::string name = address.host + ":" + std::to_string(address.port);
  SocketAddress where = socket_address(address);
  const int family = where.storage.ss_family;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return fail_errno(name);
  }
  const int on = 1;
  // So that a restart does not wait for the last connections' TIME_WAIT; a live listener is still
  // refused.
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit it; one that began with BBR would stay paced. Where it is refused the
  // default serves, only slower.
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
  if (family == AF_INET6) {
    (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(fd.get(), where.get(), where.size) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return fail_errno(name);
  }
  if (::getsockname(fd.get(), where.get(), &where.size) != 0) {
    return fail_errno(name);
  }
  // The port is at the same place for both families.
  address.port = ntohs(reinterpret_cast<sockaddr_in*>(&where.storage)->sin_port);
  return fd;
}

Result<UniqueFd> listen_unix(const std::filesystem::path& path) {
  VIBES_TRY(make_private_directory(path.parent_path()));
  VIBES_TRY_ASSIGN(address, unix_address(path));
  VIBES_TRY(remove_stale(path, address));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return fail_errno(path.string());
  }
  // Between bind and chmod the directory alone protects it, as it does afterwards.
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return fail_errno(path.string());
  }
  return fd;
}

}  // namespace vibes::net
