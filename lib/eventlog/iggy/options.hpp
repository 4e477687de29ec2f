// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::eventlog::iggy {

inline constexpr std::uint16_t kDefaultPort = 3'000;
/// What a server takes in one request unless it is told otherwise: "2 MB".
inline constexpr std::size_t kRequestBytesDefault = 2'000'000;
inline constexpr std::size_t kRequestBytesMax = 64'000'000;

/// Where the stream is, and as whom.
struct IggyOptions {
  enum class Transport : std::uint8_t { http, https };
  /// What the operator says of the server's settings, which a client of server 0.8 cannot see.
  enum class Fsync : std::uint8_t { unknown, always };

  Transport transport = Transport::http;
  std::string host;  // as in a URL: IPv6 with brackets
  std::uint16_t port = kDefaultPort;
  std::string user;
  std::string password;
  std::string stream = "vibes";
  std::string topic = "events";
  Fsync fsync = Fsync::unknown;
  std::size_t request_bytes_max = kRequestBytesDefault;  // that the server takes

  /// "http://127.0.0.1:3000"
  [[nodiscard]] std::string base() const;
  /// "/streams/STREAM", its name escaped.
  [[nodiscard]] std::string stream_path() const;
  /// "/streams/STREAM/topics/TOPIC" of any topic of the stream.
  [[nodiscard]] std::string topic_path(std::string_view topic_name) const;
  /// Two, of which the second is for when the first is full.
  [[nodiscard]] std::array<std::string, 2> groups_topics() const {
    return {topic + "-groups", topic + "-groups-2"};
  }
  /// "iggy+http://127.0.0.1:3000/vibes/events": for people, without secrets.
  [[nodiscard]] std::string url() const;
};

/// Parses iggy+http://user:password@host[:port][/STREAM[/TOPIC]][?name=value&…], iggy+https:// for
/// TLS. Names: fsync (always), max_request (bytes). Errors: Errc::bad_url, saying what is wrong and
/// never what is secret.
Result<IggyOptions> parse_iggy_url(std::string_view url);

}  // namespace vibes::eventlog::iggy
