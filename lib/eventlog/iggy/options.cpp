// SPDX-License-Identifier: MIT
#include "eventlog/iggy/options.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include <curl/curl.h>
#include <fmt/format.h>

#include "eventlog/errc.hpp"

namespace vibes::eventlog::iggy {
namespace {

constexpr std::string_view kScheme = "iggy+";
constexpr std::size_t kUrlBytesMax = 2'048;
constexpr std::size_t kNameBytesMax = 255 - std::string_view("-groups-2").size();
constexpr std::size_t kRequestBytesMin = 16'384;

/// A password stands before the last '@'.
std::string without_secrets(std::string_view url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string_view::npos || at == std::string_view::npos || at < scheme + 3) {
    return std::string(url.substr(0, kUrlBytesMax));
  }
  return std::string(url.substr(0, scheme + 3)) + std::string(url.substr(at + 1, kUrlBytesMax));
}

Unexpected bad_url(std::string_view url, std::string_view why) {
  return fail(Errc::bad_url, fmt::format("'{}': {}", without_secrets(url), why));
}

using ParsedUrl = std::unique_ptr<CURLU, void (*)(CURLU*)>;

std::string part_of(const ParsedUrl& url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (::curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) {
    return {};
  }
  const std::unique_ptr<char, void (*)(void*)> owned(text, ::curl_free);
  return owned.get();
}

// For an empty text curl would look for its end itself.
std::string escaped(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const std::unique_ptr<char, void (*)(void*)> owned(
      ::curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), ::curl_free);
  return owned ? owned.get() : "";
}

std::string unescaped(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  int size = 0;
  const std::unique_ptr<char, void (*)(void*)> owned(
      ::curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &size),
      ::curl_free);
  return owned ? std::string(owned.get(), static_cast<std::size_t>(size)) : std::string();
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

/// What is wrong with it; empty: nothing. A name of digits would be taken for an id.
std::string_view problem_of_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) {
    return "a stream's and a topic's name have 1 to 246 bytes";
  }
  if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
    return "a stream's and a topic's name are not all digits";
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return std::ranges::any_of(name, is_control) ? "a name has control bytes" : "";
}

std::string_view set_names(IggyOptions& options, std::string_view path) {
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  path.remove_suffix(path.ends_with('/') ? 1 : 0);
  if (path.empty()) {
    return "";
  }
  const auto slash = path.find('/');
  options.stream = unescaped(path.substr(0, slash));
  if (slash != std::string_view::npos) {
    const auto topic = path.substr(slash + 1);
    if (topic.find('/') != std::string_view::npos) {
      return "the path is /STREAM/TOPIC";
    }
    options.topic = unescaped(topic);
  }
  const auto problem = problem_of_name(options.stream);
  return problem.empty() ? problem_of_name(options.topic) : problem;
}

std::string_view set_option(IggyOptions& options, std::string_view name, std::string_view value) {
  if (name == "fsync") {
    options.fsync = IggyOptions::Fsync::always;
    return value == "always" ? "" : "'fsync' can only be 'always'";
  }
  if (name == "max_request") {
    const auto bytes = parse_number(value);
    if (!bytes || *bytes < kRequestBytesMin || *bytes > kRequestBytesMax) {
      return "'max_request' is no number of bytes from 16384 to 64000000";
    }
    options.request_bytes_max = static_cast<std::size_t>(*bytes);
    return "";
  }
  return "the query has an unknown name; there are 'fsync' and 'max_request'";
}

std::string_view set_query(IggyOptions& options, std::string_view query) {
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const auto equals = std::min(part.find('='), part.size());
    const auto value = part.substr(std::min(equals + 1, part.size()));
    if (const auto problem = set_option(options, part.substr(0, equals), value); !problem.empty()) {
      return problem;
    }
  }
  return "";
}

}  // namespace

Result<IggyOptions> parse_iggy_url(std::string_view url) {
  if (url.size() > kUrlBytesMax || url.find('\0') != std::string_view::npos) {
    return bad_url(url.substr(0, url.find('\0')), "too long, or with a NUL");
  }
  if (!url.starts_with(kScheme)) {
    return bad_url(url, "it begins with iggy+http:// or iggy+https://");
  }
  const ParsedUrl parsed(::curl_url(), ::curl_url_cleanup);
  if (::curl_url_set(parsed.get(), CURLUPART_URL, std::string(url.substr(kScheme.size())).c_str(),
                     0) != CURLUE_OK) {
    return bad_url(url, "this is no URL");
  }
  IggyOptions options;
  const std::string scheme = part_of(parsed, CURLUPART_SCHEME, 0);
  if (scheme != "http" && scheme != "https") {
    return bad_url(url, "it begins with iggy+http:// or iggy+https://");
  }
  options.transport =
      scheme == "https" ? IggyOptions::Transport::https : IggyOptions::Transport::http;
  options.host = part_of(parsed, CURLUPART_HOST, 0);
  if (const std::string port = part_of(parsed, CURLUPART_PORT, 0); !port.empty()) {
    const auto number = parse_number(port);
    if (!number || *number == 0 || *number > 65'535) {
      return bad_url(url, "the port is no number from 1 to 65535");
    }
    options.port = static_cast<std::uint16_t>(*number);
  }
  options.user = part_of(parsed, CURLUPART_USER, CURLU_URLDECODE);
  options.password = part_of(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (options.user.empty() || options.password.empty()) {
    return bad_url(url, "user and password are missing: iggy+http://USER:PASSWORD@HOST");
  }
  if (!part_of(parsed, CURLUPART_FRAGMENT, 0).empty()) {
    return bad_url(url, "it has a fragment (#)");
  }
  if (const auto problem = set_names(options, part_of(parsed, CURLUPART_PATH, 0));
      !problem.empty()) {
    return bad_url(url, problem);
  }
  if (const auto problem = set_query(options, part_of(parsed, CURLUPART_QUERY, 0));
      !problem.empty()) {
    return bad_url(url, problem);
  }
  return options;
}

std::string IggyOptions::base() const {
  return fmt::format("{}://{}:{}", transport == Transport::https ? "https" : "http", host, port);
}

std::string IggyOptions::stream_path() const { return "/streams/" + escaped(stream); }

std::string IggyOptions::topic_path(std::string_view topic_name) const {
  return stream_path() + "/topics/" + escaped(topic_name);
}

std::string IggyOptions::url() const {
  return fmt::format("iggy+{}/{}/{}", base(), escaped(stream), escaped(topic));
}

}  // namespace vibes::eventlog::iggy
