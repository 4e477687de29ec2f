// SPDX-License-Identifier: MIT
#include "consumers/notifications/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <memory>

#include <curl/curl.h>

#include "base/limits.hpp"

namespace vibes::consumers {
namespace {

Unexpected bad(std::string_view url, std::string_view why) {
  return fail(std::make_error_code(std::errc::invalid_argument),
              "the URL " + std::string(url.substr(0, 80)) + " " + std::string(why));
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") {
    return true;
  }
  std::array<unsigned char, 4> v4{};
  return ::inet_pton(AF_INET, host.c_str(), v4.data()) == 1 && v4[0] == 127;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (::curl_url_get(url, part, &text, 0) != CURLUE_OK) {
    return {};
  }
  const std::unique_ptr<char, void (*)(void*)> owned(text, ::curl_free);
  return owned.get();
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view url) {
  if (url.size() > limits::kPushEndpointBytesMax) {
    return bad(url, "is too long");
  }
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::ranges::all_of(url, is_plain)) {
    return bad(url, "holds white space, control bytes or no ASCII");
  }
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(::curl_url(), ::curl_url_cleanup);
  if (::curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(),
                     CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return bad(url, "is no URL");
  }
  if (!part_of(parsed.get(), CURLUPART_USER).empty() ||
      !part_of(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return bad(url, "holds a user or a password");
  }
  const std::string scheme = part_of(parsed.get(), CURLUPART_SCHEME);
  const std::string host = part_of(parsed.get(), CURLUPART_HOST);
  const std::string port = part_of(parsed.get(), CURLUPART_PORT);
  const bool loopback = is_loopback(host);
  if (scheme != "https" && !(scheme == "http" && loopback)) {
    return bad(url, "must begin with https:// (http:// only to this machine)");
  }
  return Endpoint{.url = std::string(url),
                  .root = scheme + "://" + host + (port.empty() ? "" : ":" + port),
                  .path = part_of(parsed.get(), CURLUPART_PATH),
                  .reach = loopback ? Endpoint::Reach::loopback : Endpoint::Reach::network};
}

}  // namespace vibes::consumers
