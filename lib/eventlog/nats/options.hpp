// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vibes::eventlog::nats {

inline constexpr std::uint16_t kDefaultPort = 4'222;

/// Where the stream is, as whom, and what it must be like.
struct NatsOptions {
  struct Host {
    std::string name;  // IPv6 without brackets
    std::uint16_t port = kDefaultPort;
    /// "[::1]:4222".
    [[nodiscard]] std::string address() const;
  };
  enum class Transport : std::uint8_t { tcp, tls };
  /// What the operator says of the servers' `sync_interval`, which no client can see.
  enum class Sync : std::uint8_t { unknown, always };
  enum class IfMissing : std::uint8_t { make, refuse };

  Transport transport = Transport::tcp;
  std::vector<Host> hosts;              // of one cluster, at least one
  std::string user;                     // empty: none
  std::optional<std::string> password;  // without one `user` is a token
  std::filesystem::path credentials;    // a .creds file; these three: empty, none
  std::filesystem::path authority;      // PEM, trusted instead of the system's
  std::filesystem::path certificate;    // PEM, ours, together with `key`
  std::filesystem::path key;

  std::string stream = "vibes";
  IfMissing if_missing = IfMissing::make;  // in no URL; refuse: Errc::not_found
  std::string subject;  // in front of the subjects of all messages, without the last dot
  int replicas = 1;     // at least
  Sync sync = Sync::unknown;
  std::optional<std::uint64_t> max_bytes;  // these three: where given, exactly
  std::optional<std::chrono::seconds> max_age;
  std::optional<std::chrono::seconds> duplicate_window;

  /// "127.0.0.1:4222,[::1]:4223".
  [[nodiscard]] std::string addresses() const;
  /// "nats://127.0.0.1:4222/vibes": for people, without secrets.
  [[nodiscard]] std::string url() const;
};

/// Parses nats://[user[:password]@]host[:port][,host[:port]]…[/STREAM][?name=value&…], tls:// for a
/// connection that is encrypted. Names: subject, replicas, sync, max_bytes, max_age,
/// duplicate_window, creds, ca, cert, key. Errors: Errc::bad_url, saying what is wrong and never
/// what is secret.
Result<NatsOptions> parse_nats_url(std::string_view url);

}  // namespace vibes::eventlog::nats
