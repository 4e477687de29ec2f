// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/mask.hpp"

namespace vibes::wire {

/// What a frame is (RFC 6455 §5.2). Others are reserved.
enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// The header of a WebSocket frame (RFC 6455 §5.2), read as it arrives, in pieces of any size. It
/// judges nothing.
class FrameHeader {
 public:
  /// Takes what is this header's from the front of `bytes`: how many that were.
  std::size_t take(std::string_view bytes);
  /// The next header begins.
  void clear() { taken_ = 0; }

  [[nodiscard]] std::size_t bytes_taken() const { return taken_; }
  [[nodiscard]] bool is_whole() const { return taken_ >= kShortBytes && taken_ == size(); }

  // With one byte taken.
  [[nodiscard]] bool is_final() const { return (bytes_[0] & 0x80U) != 0; }
  [[nodiscard]] bool has_reserved_bits() const { return (bytes_[0] & 0x70U) != 0; }
  [[nodiscard]] Opcode opcode() const { return static_cast<Opcode>(bytes_[0] & 0x0FU); }
  /// Or would be, were its opcode one that we know.
  [[nodiscard]] bool is_control() const { return (bytes_[0] & 0x08U) != 0; }

  // With two bytes taken.
  [[nodiscard]] bool is_masked() const { return (bytes_[1] & 0x80U) != 0; }
  /// Whether the length takes more than the seven bits that every header has for it.
  [[nodiscard]] bool has_long_length() const { return (bytes_[1] & 0x7FU) >= kLength16; }

  // Once whole.
  [[nodiscard]] std::uint64_t payload_bytes() const;
  [[nodiscard]] MaskingKey masking_key() const;

 private:
  static constexpr std::size_t kShortBytes = 2;
  static constexpr std::size_t kBytesMax = 14;
  static constexpr std::uint8_t kLength16 = 126;

  [[nodiscard]] std::size_t length_bytes() const;
  /// As far as the first two bytes say.
  [[nodiscard]] std::size_t size() const {
    return kShortBytes + length_bytes() + (is_masked() ? sizeof(MaskingKey) : 0);
  }

  std::array<std::uint8_t, kBytesMax> bytes_{};
  std::size_t taken_ = 0;
};

/// Whether RFC 6455 gives this opcode a meaning.
bool is_known(Opcode opcode);

/// Appends the header of an unmasked, final text frame of `payload_bytes`.
void append_text_frame_header(std::string& out, std::size_t payload_bytes);

}  // namespace vibes::wire
