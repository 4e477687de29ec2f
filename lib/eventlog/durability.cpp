// SPDX-License-Identifier: MIT
#include "eventlog/durability.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace vibes::eventlog {
namespace {

constexpr std::array<std::pair<Durability, std::string_view>, 4> kNames{{
    {Durability::memory, "memory"},
    {Durability::os, "os"},
    {Durability::fsync, "fsync"},
    {Durability::replicated, "replicated"},
}};
constexpr std::string_view kInterval = "interval:";
constexpr int kIntervalMsMax = 3'600'000;

}  // namespace

std::string_view to_string(Durability durability) {
  for (const auto& [value, name] : kNames) {
    if (value == durability) {
      return name;
    }
  }
  return "unknown";
}

std::optional<Durability> parse_durability(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) {
      return value;
    }
  }
  return std::nullopt;
}

std::string to_string(const DurabilityPolicy& policy) {
  switch (policy.kind) {
    case DurabilityPolicy::Kind::fsync:
      return "fsync";
    case DurabilityPolicy::Kind::os:
      return "os";
    case DurabilityPolicy::Kind::interval:
      break;
  }
  return std::string(kInterval) + std::to_string(policy.interval.count());
}

Result<DurabilityPolicy> parse_durability_policy(std::string_view text) {
  if (text == "fsync") {
    return DurabilityPolicy{};
  }
  if (text == "os") {
    return DurabilityPolicy{DurabilityPolicy::Kind::os, {}};
  }
  if (text.starts_with(kInterval)) {
    const std::string_view digits = text.substr(kInterval.size());
    int ms = 0;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
    if (error == std::errc{} && rest == digits.data() + digits.size() && ms > 0 &&
        ms <= kIntervalMsMax) {
      return DurabilityPolicy{DurabilityPolicy::Kind::interval, std::chrono::milliseconds(ms)};
    }
  }
  return fail(std::make_error_code(std::errc::invalid_argument),
              "durability '" + std::string(text) +
                  "' is none of fsync, os, interval:MS (1 to 3600000 milliseconds)");
}

}  // namespace vibes::eventlog
