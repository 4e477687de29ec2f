// SPDX-License-Identifier: MIT
#include "event/base64.hpp"

#include <array>
#include <cstdint>

// By hand: OpenSSL would double the time that `vibesctl hook` takes to start.
namespace vibes::event {

namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xFF;
constexpr unsigned kDigitBits = 6;
constexpr unsigned kDigitMask = 0x3F;
constexpr std::size_t kGroupBytes = 3;
constexpr std::size_t kGroupDigits = 4;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values.at(static_cast<unsigned char>(kDigits[i])) = static_cast<std::uint8_t>(i);
  }
  return values;
}();

/// Up to three bytes as the four digits that they are at their longest.
std::uint32_t group_of(std::string_view bytes) {
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < kGroupBytes; ++i) {
    group = group << 8U | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
  }
  return group;
}

char digit(std::uint32_t group, std::size_t index) {
  return kDigits[group >> (kDigitBits * (kGroupDigits - 1 - index)) & kDigitMask];
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + kGroupBytes - 1) / kGroupBytes * kGroupDigits);
  for (std::size_t at = 0; at < bytes.size(); at += kGroupBytes) {
    const std::string_view part = bytes.substr(at, kGroupBytes);
    const std::uint32_t group = group_of(part);
    for (std::size_t i = 0; i < kGroupDigits; ++i) {
      text += i <= part.size() ? digit(group, i) : '=';
    }
  }
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % kGroupDigits != 0) {
    return std::nullopt;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  std::string bytes;
  bytes.reserve(text.size() / kGroupDigits * kGroupBytes);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char c : digits) {
    const std::uint8_t value = kValues.at(static_cast<unsigned char>(c));
    if (value == kNoDigit) {
      return std::nullopt;
    }
    held = held << kDigitBits | value;
    held_bits += kDigitBits;
    if (held_bits >= 8) {
      held_bits -= 8;
      bytes += static_cast<char>(held >> held_bits);
    }
    held &= (1U << held_bits) - 1;
  }
  if (held != 0) {
    return std::nullopt;  // bits that no byte has
  }
  return bytes;
}

}  // namespace vibes::event
