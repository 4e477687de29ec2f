// SPDX-License-Identifier: MIT
#include "eventlog/nats/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <utility>

#include <curl/curl.h>

#include "eventlog/errc.hpp"

namespace vibes::eventlog::nats {
namespace {

constexpr std::size_t kStreamBytesMax = 200;
constexpr std::size_t kSubjectBytesMax = 128;
constexpr int kReplicasMax = 5;  // more are not possible in JetStream

struct CurlFree {
  void operator()(char* text) const { curl_free(text); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

/// Whatever is between the scheme and the last '@', a password most of all, is nobody's business.
std::string without_secrets(std::string_view url) {
  const auto scheme = url.find("://");
  const auto at = url.substr(0, url.find('?')).rfind('@');
  if (scheme == std::string_view::npos || at == std::string_view::npos || at < scheme + 3) {
    return std::string(url);
  }
  return std::string(url.substr(0, scheme + 3)) + std::string(url.substr(at + 1));
}

Unexpected bad_url(std::string_view url, std::string_view why) {
  return fail(make_error_code(Errc::bad_url),
              "'" + without_secrets(url) + "': " + std::string(why));
}

class ParsedUrl {
 public:
  static std::optional<ParsedUrl> parse(const std::string& text) {
    ParsedUrl url;
    constexpr unsigned kFlags = CURLU_NON_SUPPORT_SCHEME;
    if (url.url_ == nullptr ||
        curl_url_set(url.url_.get(), CURLUPART_URL, text.c_str(), kFlags) != CURLUE_OK) {
      return std::nullopt;
    }
    return url;
  }
  /// Decoded; nothing if the URL does not have it.
  [[nodiscard]] std::optional<std::string> decoded(CURLUPart part) const {
    return get(part, CURLU_URLDECODE);
  }
  [[nodiscard]] std::optional<std::string> raw(CURLUPart part) const { return get(part, 0); }

 private:
  [[nodiscard]] std::optional<std::string> get(CURLUPart part, unsigned flags) const {
    char* text = nullptr;
    if (curl_url_get(url_.get(), part, &text, flags) != CURLUE_OK) {
      return std::nullopt;
    }
    return std::string(std::unique_ptr<char, CurlFree>(text).get());
  }
  std::unique_ptr<CURLU, CurlFree> url_{curl_url()};
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// A number over zero with one of the units behind it, or none of them.
struct Unit {
  char letter;
  std::uint64_t factor;
};
template <std::size_t N>
std::optional<std::uint64_t> parse_quantity(std::string_view text,
                                            const std::array<Unit, N>& units) {
  std::uint64_t factor = 1;
  for (const Unit& unit : units) {
    if (text.ends_with(unit.letter)) {
      factor = unit.factor;
      text.remove_suffix(1);
      break;
    }
  }
  const auto number = parse_number<std::uint64_t>(text);
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!number || *number == 0 || *number > kMax / factor) {
    return std::nullopt;
  }
  return *number * factor;
}

constexpr std::array<Unit, 4> kSizes = {
    {{'K', 1ULL << 10}, {'M', 1ULL << 20}, {'G', 1ULL << 30}, {'T', 1ULL << 40}}};
constexpr std::array<Unit, 4> kTimes = {{{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};

bool is_stream_name(std::string_view name) {
  // What a name of a key-value bucket may have too, for the groups are in one.
  return !name.empty() && name.size() <= kStreamBytesMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_subject(std::string_view subject) {
  if (subject.empty() || subject.size() > kSubjectBytesMax || subject.front() == '$' ||
      subject.starts_with("_INBOX")) {
    return false;
  }
  bool token_is_empty = true;
  for (const char c : subject) {
    if (c == '.' ? token_is_empty
                 : c <= ' ' || c == 0x7f || c == '*' || c == '>' || c == '"' || c == '\\') {
      return false;
    }
    token_is_empty = c == '.';
  }
  return !token_is_empty;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

/// What is wrong with it; empty: nothing.
using Problem = std::string;

std::optional<std::string> percent_decoded(std::string_view text) {
  if (text.empty()) {
    return std::string();  // for which curl would look for the end of the text itself
  }
  int size = 0;
  const std::unique_ptr<char, CurlFree> decoded(
      curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &size));
  if (decoded == nullptr || std::string_view(decoded.get()).size() != static_cast<size_t>(size)) {
    return std::nullopt;
  }
  return std::string(decoded.get());
}

Problem set_size(std::optional<std::uint64_t>& to, std::string_view value) {
  to = parse_quantity(value, kSizes);
  return to ? Problem() : "is no size such as 500M or 20G";
}

Problem set_time(std::optional<std::chrono::seconds>& to, std::string_view value) {
  // JetStream counts nanoseconds.
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  const auto seconds = parse_quantity(value, kTimes);
  if (!seconds || *seconds > kMax) {
    return "is no time such as 90s or 30d";
  }
  to = std::chrono::seconds(*seconds);
  return {};
}

Problem set_path(std::filesystem::path& to, std::string_view value) {
  to = value;
  return value.empty() ? "is empty" : "";
}

Problem set_option(NatsOptions& options, std::string_view name, std::string_view value) {
  if (name == "replicas") {
    const auto count = parse_number<int>(value);
    options.replicas = count.value_or(0);
    return options.replicas < 1 || options.replicas > kReplicasMax ? "is no number from 1 to 5"
                                                                   : "";
  }
  if (name == "subject") {
    options.subject = value;
    return is_subject(value) ? "" : "is no subject such as team.events";
  }
  if (name == "sync") {
    options.sync = NatsOptions::Sync::always;
    return value == "always" ? "" : "can only be 'always'";
  }
  if (name == "max_bytes") {
    return set_size(options.max_bytes, value);
  }
  if (name == "max_age") {
    return set_time(options.max_age, value);
  }
  if (name == "duplicate_window") {
    return set_time(options.duplicate_window, value);
  }
  const std::array<std::pair<std::string_view, std::filesystem::path*>, 4> paths = {
      {{"creds", &options.credentials},
       {"ca", &options.authority},
       {"cert", &options.certificate},
       {"key", &options.key}}};
  for (const auto& [path_name, path] : paths) {
    if (name == path_name) {
      return set_path(*path, value);
    }
  }
  return "is no option of this engine";
}

Problem set_query(NatsOptions& options, std::string_view query) {
  for (const std::string_view part : split(query, '&')) {
    const auto equals = part.find('=');
    const auto name = percent_decoded(part.substr(0, equals));
    const auto value = percent_decoded(equals == std::string_view::npos ? std::string_view{}
                                                                        : part.substr(equals + 1));
    if (!name || !value) {
      return "the query has a NUL";
    }
    if (Problem problem = set_option(options, *name, *value); !problem.empty()) {
      return "'" + *name + "' " + problem;
    }
  }
  return {};
}

/// One "host[:port]", with what is around it in the URL.
Problem add_host(NatsOptions& options, const ParsedUrl& url) {
  auto name = url.raw(CURLUPART_HOST);
  if (!name || name->empty()) {
    return "a host is missing";
  }
  if (name->starts_with('[')) {
    *name = name->substr(1, name->size() - 2);
  }
  NatsOptions::Host host{std::move(*name), kDefaultPort};
  if (const auto port = url.raw(CURLUPART_PORT)) {
    const auto number = parse_number<std::uint16_t>(*port);
    if (!number || *number == 0) {
      return "a port is no number from 1 to 65535";
    }
    host.port = *number;
  }
  options.hosts.push_back(std::move(host));
  return {};
}

Problem check_together(const NatsOptions& options) {
  if (!options.credentials.empty() && !options.user.empty()) {
    return "a user or 'creds', not both";
  }
  if (options.certificate.empty() != options.key.empty()) {
    return "'cert' and 'key' go together";
  }
  const bool has_tls = !options.authority.empty() || !options.certificate.empty();
  if (has_tls && options.transport != NatsOptions::Transport::tls) {
    return "'ca', 'cert' and 'key' are for tls://";
  }
  return {};
}

struct Parts {
  std::string_view scheme;
  std::string_view user_info;  // with its '@'
  std::vector<std::string_view> hosts;
  std::string_view rest;  // path, query
};

/// Only the list of hosts is ours; every URL with one host of it is for curl.
std::optional<Parts> take_apart(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) {
    return std::nullopt;
  }
  Parts parts;
  parts.scheme = url.substr(0, scheme_end);
  url.remove_prefix(scheme_end + 3);
  const auto authority_end = std::min(url.find_first_of("/?#"), url.size());
  auto authority = url.substr(0, authority_end);
  parts.rest = url.substr(authority_end);
  const auto at = authority.rfind('@');
  if (at != std::string_view::npos) {
    parts.user_info = authority.substr(0, at + 1);
    authority.remove_prefix(at + 1);
  }
  parts.hosts = split(authority, ',');
  return parts;
}

Problem set_all(NatsOptions& options, const Parts& parts) {
  for (const std::string_view host : parts.hosts) {
    const auto parsed = ParsedUrl::parse("nats://" + std::string(parts.user_info) +
                                         std::string(host) + std::string(parts.rest));
    if (!parsed) {
      return "host, port, user or path are none";
    }
    if (Problem problem = add_host(options, *parsed); !problem.empty()) {
      return problem;
    }
    options.user = parsed->decoded(CURLUPART_USER).value_or("");
    options.password = parsed->decoded(CURLUPART_PASSWORD);
    const std::string path = parsed->decoded(CURLUPART_PATH).value_or("/");
    if (path.size() > 1) {
      options.stream = path.substr(1);
    }
    if (parsed->raw(CURLUPART_FRAGMENT)) {
      return "there is a '#'";
    }
  }
  if (!is_stream_name(options.stream)) {
    return "the stream's name may have 1 to 200 of A-Z a-z 0-9 - _";
  }
  options.subject = options.stream + ".events";
  const auto query = parts.rest.find('?');
  if (query != std::string_view::npos && query + 1 < parts.rest.size()) {
    if (Problem problem = set_query(options, parts.rest.substr(query + 1)); !problem.empty()) {
      return problem;
    }
  }
  return check_together(options);
}

}  // namespace

std::string NatsOptions::Host::address() const {
  const bool ipv6 = name.find(':') != std::string::npos;
  return (ipv6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

std::string NatsOptions::addresses() const {
  std::string text;
  for (const Host& host : hosts) {
    text += (text.empty() ? "" : ",") + host.address();
  }
  return text;
}

std::string NatsOptions::url() const {
  return (transport == Transport::tls ? "tls://" : "nats://") + addresses() + "/" + stream;
}

Result<NatsOptions> parse_nats_url(std::string_view url) {
  const auto parts = take_apart(url);
  if (!parts || (parts->scheme != "nats" && parts->scheme != "tls")) {
    return bad_url(url, "use nats://HOST or tls://HOST");
  }
  NatsOptions options;
  options.transport =
      parts->scheme == "tls" ? NatsOptions::Transport::tls : NatsOptions::Transport::tcp;
  if (Problem problem = set_all(options, *parts); !problem.empty()) {
    return bad_url(url, problem);
  }
  return options;
}

}  // namespace vibes::eventlog::nats
