// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace vibes {

/// A UUID (RFC 9562) as its 16 bytes in network order, so that byte order is sort order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;

  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
  /// The millisecond of a version 7 UUID; nothing for other versions.
  [[nodiscard]] std::optional<std::int64_t> unix_ms() const;
};

/// The canonical lower-case form, 36 characters.
std::string to_string(const Uuid& uuid);
/// Writes the canonical form to `out`, which must have room for 36 characters. No terminator.
void format_uuid(const Uuid& uuid, char* out);
/// Accepts the 36-character form in either case; anything else is nothing. Every version is
/// accepted.
std::optional<Uuid> parse_uuid(std::string_view text);
/// A random (version 4) UUID.
Uuid random_uuid();
/// The version 5 UUID of `name` in a namespace: the same for ever.
Uuid name_uuid(const Uuid& name_space, std::string_view name);
/// RFC 9562 §6.6: names that are or start with a URL.
inline constexpr Uuid kUrlNamespace{{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4,
                                     0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

/// The UUID that comes `steps` after this one where ids are counted up: in the last 62 bits, which
/// wrap, so that version and variant stay (RFC 9562 §6.2, method 2).
Uuid uuid_after(const Uuid& uuid, std::uint64_t steps);

/// Makes version 7 UUIDs that grow strictly, also when many are made in a millisecond and when the
/// clock steps back: the 48-bit time never decreases, and the 74 remaining bits count up from a
/// random start (RFC 9562 §6.2, method 2). Not thread-safe: each generator has one owner.
class UuidV7Generator {
 public:
  UuidV7Generator();
  /// `now` is when the event was appended.
  Uuid next(Timestamp now);

 private:
  std::int64_t last_ms_ = -1;
  std::uint16_t high_ = 0;  // 12 bits
  std::uint64_t low_ = 0;   // 62 bits
};

}  // namespace vibes

template <>
struct std::hash<vibes::Uuid> {
  std::size_t operator()(const vibes::Uuid& uuid) const noexcept {
    // Both halves: a version 7 id has its time in the first and its randomness in the second.
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, uuid.bytes.data(), sizeof a);
    std::memcpy(&b, uuid.bytes.data() + sizeof a, sizeof b);
    std::uint64_t h = (a ^ (b * 0x9e3779b97f4a7c15ULL));
    h ^= h >> 32U;
    return static_cast<std::size_t>(h * 0xd6e8feb86659fd93ULL);
  }
};
