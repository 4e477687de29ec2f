// SPDX-License-Identifier: MIT
#include "consumers/notifications/messages.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr const char* kJson = "Content-Type: application/json";

std::string text_of(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  (void)::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
               &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += fmt::format("{:02x}", digest[i]);
  }
  return hex;
}

bool is_topic(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !text.empty() && std::ranges::all_of(text, fits);
}

}  // namespace

Delivery webhook_delivery(const Endpoint& endpoint, std::string_view secret,
                          const Notification& n) {
  json message = {{"title", n.title},
                  {"body", n.body},
                  {"tag", n.tag},
                  {"url", n.url},
                  {"session_id", n.session_id},
                  {"event_type", n.event_type},
                  {"trigger", n.trigger}};
  if (!n.event_id.is_nil()) {
    message["event_id"] = to_string(n.event_id);
    message["offset"] = n.offset.value();
    message["time"] = format_rfc3339(n.time);
  }
  Delivery delivery{.endpoint = endpoint, .headers = {kJson}, .body = text_of(message)};
  if (!secret.empty()) {
    delivery.headers.push_back("X-Vibes-Signature: sha256=" +
                               hmac_sha256_hex(secret, delivery.body));
  }
  return delivery;
}

Result<NtfyTopic> parse_ntfy_topic(std::string_view url) {
  VIBES_TRY_ASSIGN(endpoint, parse_endpoint(url));
  const std::size_t slash = endpoint.path.rfind('/');
  const std::string topic = endpoint.path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (!is_topic(topic) || endpoint.url.find_first_of("?#") != std::string::npos) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "the URL must end with the topic: https://ntfy.sh/TOPIC");
  }
  endpoint.url = endpoint.root + endpoint.path.substr(0, slash + 1);
  return NtfyTopic{.server = std::move(endpoint), .topic = topic};
}

Delivery ntfy_delivery(const NtfyTopic& topic, const Notification& n) {
  constexpr int kHigh = 4;
  constexpr int kNormal = 3;
  const bool urgent = n.event_type == "permission_needed" || n.event_type == "session_error";
  const json message = {{"topic", topic.topic},
                        {"title", n.title},
                        {"message", n.body},
                        {"tags", json::array({n.event_type})},
                        {"priority", urgent ? kHigh : kNormal}};
  return {.endpoint = topic.server, .headers = {kJson}, .body = text_of(message)};
}

}  // namespace vibes::consumers
