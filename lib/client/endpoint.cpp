// SPDX-License-Identifier: MIT
#include "client/endpoint.hpp"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "base/paths.hpp"
#include "client/errc.hpp"
#include "event/ascii.hpp"

namespace vibes::client {
namespace {

constexpr std::size_t kTokenBytesMax = 4'096;

Unexpected bad_url(std::string_view url, std::string_view why) {
  return fail(make_error_code(Errc::bad_url), "'" + std::string(url) + "': " + std::string(why));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65'535) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(port);
}

Result<Endpoint> parse_authority(std::string_view url, std::string_view authority,
                                 Endpoint::Transport transport, std::uint16_t default_port) {
  if (authority.ends_with('/')) {
    authority.remove_suffix(1);
  }
  if (authority.find_first_of("/?#") != std::string_view::npos) {
    return bad_url(url, "a server has no path, give only HOST:PORT");
  }
  if (authority.find('@') != std::string_view::npos) {
    return bad_url(url, "no user name or password: use --token-file");
  }
  Endpoint endpoint;
  endpoint.transport = transport;
  endpoint.port = default_port;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) {
      return bad_url(url, "the address lacks its ']'");
    }
    endpoint.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const auto colon = authority.find(':');
    endpoint.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
  }
  if (endpoint.host.empty()) {
    return bad_url(url, "the host is missing");
  }
  if (!port.empty()) {
    const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
    if (!number) {
      return bad_url(url, "the port is no number from 1 to 65535");
    }
    endpoint.port = *number;
  }
  return endpoint;
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): documented
  if (value == nullptr || *value == '\0') {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string Endpoint::url() const {
  if (transport == Transport::unix_socket) {
    return "unix:" + socket.string();
  }
  return (transport == Transport::tls ? "https://" : "http://") + host_header();
}

std::string Endpoint::host_header() const {
  if (transport == Transport::unix_socket) {
    return "localhost";
  }
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view url) {
  using Transport = Endpoint::Transport;
  constexpr std::string_view kUnix = "unix:";
  if (url.starts_with(kUnix)) {
    std::string_view path = url.substr(kUnix.size());
    if (path.starts_with("//")) {
      path.remove_prefix(2);
    }
    if (path.empty()) {
      return bad_url(url, "the path of the socket is missing");
    }
    Endpoint endpoint;
    endpoint.transport = Transport::unix_socket;
    endpoint.socket = path;
    return endpoint;
  }
  struct Scheme {
    std::string_view prefix;
    Transport transport;
    std::uint16_t port;
  };
  for (const Scheme& scheme :
       {Scheme{"http://", Transport::tcp, kDefaultPort},
        Scheme{"ws://", Transport::tcp, kDefaultPort}, Scheme{"https://", Transport::tls, 443},
        Scheme{"wss://", Transport::tls, 443}}) {
    if (url.starts_with(scheme.prefix)) {
      return parse_authority(url, url.substr(scheme.prefix.size()), scheme.transport, scheme.port);
    }
  }
  if (url.find("://") != std::string_view::npos) {
    return bad_url(url, "use http://, https://, ws://, wss:// or unix:PATH");
  }
  return parse_authority(url, url, Transport::tcp, kDefaultPort);
}

Result<Endpoint> find_endpoint(const std::optional<std::string>& url) {
  if (url) {
    return parse_endpoint(*url);
  }
  if (const auto from_environment = environment("VIBES_URL")) {
    return parse_endpoint(*from_environment);
  }
  const auto paths = default_paths();
  if (paths && ::access(paths->socket().c_str(), F_OK) == 0) {
    Endpoint endpoint;
    endpoint.transport = Endpoint::Transport::unix_socket;
    endpoint.socket = paths->socket();
    return endpoint;
  }
  return Endpoint{Endpoint::Transport::tcp, "127.0.0.1", kDefaultPort, {}};
}

Result<std::string> read_token(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(make_error_code(Errc::bad_token), "cannot read " + file.string());
  }
  std::string text(kTokenBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const std::string token(event::trim(text));
  const bool printable = token.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos;
  if (token.empty() || text.size() > kTokenBytesMax || !printable) {
    return fail(make_error_code(Errc::bad_token), file.string() + " holds no token");
  }
  return token;
}

Result<Target> find_target(const std::optional<std::string>& url,
                           const std::optional<std::filesystem::path>& token_file) {
  VIBES_TRY_ASSIGN(endpoint, find_endpoint(url));
  Target target{std::move(endpoint), {}};
  auto named = token_file;
  if (!named) {
    if (const auto from_environment = environment("VIBES_TOKEN_FILE")) {
      named = *from_environment;
    }
  }
  if (named) {
    VIBES_TRY_ASSIGN(token, read_token(*named));
    target.token = std::move(token);
    return target;
  }
  const auto paths = default_paths();
  if (paths && ::access(paths->token().c_str(), R_OK) == 0) {
    VIBES_TRY_ASSIGN(token, read_token(paths->token()));
    target.token = std::move(token);
  }
  return target;
}

}  // namespace vibes::client
