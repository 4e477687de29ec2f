// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::client {

inline constexpr std::uint16_t kDefaultPort = 7432;

/// Where a server listens.
struct Endpoint {
  enum class Transport : std::uint8_t { tcp, tls, unix_socket };
  Transport transport = Transport::tcp;
  std::string host;              // tcp and tls: a name or an address, IPv6 without brackets
  std::uint16_t port = 0;        // tcp and tls
  std::filesystem::path socket;  // unix_socket

  /// "http://127.0.0.1:7432", "https://…" or "unix:/run/user/1000/vibes/vibes.sock".
  [[nodiscard]] std::string url() const;
  /// The value of the Host header.
  [[nodiscard]] std::string host_header() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Accepts http://, https://, ws://, wss:// (with an optional port and trailing slash), unix:PATH
/// and a bare HOST:PORT. Errors: Errc::bad_url, saying what is wrong with it.
Result<Endpoint> parse_endpoint(std::string_view url);

/// `url` if given, else $VIBES_URL, else the unix socket of default_paths() if there is one, else
/// http://127.0.0.1:7432. Reads the environment: call it before threads start.
Result<Endpoint> find_endpoint(const std::optional<std::string>& url);

/// Whom to talk to and as whom.
struct Target {
  Endpoint endpoint;
  std::string token;  // empty: none is sent
};

/// The endpoint as find_endpoint(), and the token from `token_file`, else the file
/// $VIBES_TOKEN_FILE, else default_paths().token() if that exists. A file that was named must be
/// readable; the default one may be missing. Surrounding white space is dropped. Errors:
/// Errc::bad_url, Errc::bad_token.
Result<Target> find_target(const std::optional<std::string>& url,
                           const std::optional<std::filesystem::path>& token_file);

/// The token in a file, as find_target() reads it.
Result<std::string> read_token(const std::filesystem::path& file);

}  // namespace vibes::client
