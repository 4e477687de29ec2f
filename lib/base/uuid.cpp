// SPDX-License-Identifier: MIT
#include "base/uuid.hpp"

#include <uuid/uuid.h>

namespace vibes {
namespace {

constexpr std::size_t kTextBytes = 36;
constexpr std::uint64_t kLowMask = (1ULL << 62U) - 1;
constexpr std::uint16_t kHighMask = 0x0fff;

std::uint64_t load_be(const std::uint8_t* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = value << 8U | from[i];
  }
  return value;
}

void store_be(std::uint8_t* to, std::uint64_t value) {
  for (std::size_t i = sizeof value; i > 0; --i, value >>= 8U) {
    to[i - 1] = static_cast<std::uint8_t>(value);
  }
}

}  // namespace

std::optional<std::int64_t> Uuid::unix_ms() const {
  if ((bytes[6] >> 4U) != 7) {
    return std::nullopt;
  }
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    ms = ms * 256 + bytes[i];
  }
  return ms;
}

void format_uuid(const Uuid& uuid, char* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out[at++] = '-';
    }
    out[at++] = kHex[uuid.bytes[i] >> 4U];
    out[at++] = kHex[uuid.bytes[i] & 0x0fU];
  }
}

std::string to_string(const Uuid& uuid) {
  std::string text(kTextBytes, '\0');
  format_uuid(uuid, text.data());
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != kTextBytes) {
    return std::nullopt;
  }
  Uuid uuid;
  if (uuid_parse_range(text.data(), text.data() + text.size(), uuid.bytes.data()) != 0) {
    return std::nullopt;
  }
  return uuid;
}

Uuid random_uuid() {
  Uuid uuid;
  uuid_generate_random(uuid.bytes.data());
  return uuid;
}

Uuid name_uuid(const Uuid& name_space, std::string_view name) {
  Uuid uuid;
  uuid_generate_sha1(uuid.bytes.data(), name_space.bytes.data(), name.data(), name.size());
  return uuid;
}

Uuid uuid_after(const Uuid& uuid, std::uint64_t steps) {
  constexpr std::size_t kLowAt = 8;
  const std::uint64_t last = load_be(uuid.bytes.data() + kLowAt);
  Uuid after = uuid;
  store_be(after.bytes.data() + kLowAt, (last & ~kLowMask) | ((last + steps) & kLowMask));
  return after;
}

UuidV7Generator::UuidV7Generator() = default;

Uuid UuidV7Generator::next(Timestamp now) {
  const std::int64_t now_ms = now.unix_us / 1000;
  if (now_ms > last_ms_) {
    last_ms_ = now_ms;
    const Uuid seed = random_uuid();
    std::memcpy(&low_, seed.bytes.data(), sizeof low_);
    std::memcpy(&high_, seed.bytes.data() + sizeof low_, sizeof high_);
    low_ &= kLowMask;
    high_ &= kHighMask >> 1U;  // the top bit is left free, so counting up cannot soon overflow
  } else if (++low_ > kLowMask) {
    low_ = 0;
    if (++high_ > kHighMask) {
      high_ = 0;
      ++last_ms_;
    }
  }
  Uuid uuid;
  for (std::size_t i = 0; i < 6; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(last_ms_ >> (40U - 8U * i));
  }
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70U | (high_ >> 8U));
  uuid.bytes[7] = static_cast<std::uint8_t>(high_ & 0xffU);
  store_be(uuid.bytes.data() + 8, low_);
  uuid.bytes[8] = static_cast<std::uint8_t>(0x80U | (uuid.bytes[8] & 0x3fU));
  return uuid;
}

}  // namespace vibes
