// SPDX-License-Identifier: MIT
#include "wire/frame_header.hpp"

#include <algorithm>
#include <cstring>

namespace vibes::wire {
namespace {

constexpr std::size_t kLength16Bytes = 2;
constexpr std::size_t kLength64Bytes = 8;

}  // namespace

std::size_t FrameHeader::take(std::string_view bytes) {
  std::size_t passed = 0;
  const auto take_up_to = [&](std::size_t wanted) {
    const std::size_t count = std::min(wanted - taken_, bytes.size() - passed);
    std::memcpy(bytes_.data() + taken_, bytes.data() + passed, count);
    taken_ += count;
    passed += count;
  };
  if (taken_ < kShortBytes) {
    take_up_to(kShortBytes);
  }
  if (taken_ >= kShortBytes) {
    take_up_to(size());
  }
  return passed;
}

std::size_t FrameHeader::length_bytes() const {
  if (!has_long_length()) {
    return 0;
  }
  return (bytes_[1] & 0x7FU) == kLength16 ? kLength16Bytes : kLength64Bytes;
}

std::uint64_t FrameHeader::payload_bytes() const {
  if (!has_long_length()) {
    return bytes_[1] & 0x7FU;
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_bytes(); ++i) {
    length = length << 8U | bytes_.at(kShortBytes + i);
  }
  return length;
}

MaskingKey FrameHeader::masking_key() const {
  MaskingKey key{};
  if (is_masked()) {
    std::memcpy(key.data(), bytes_.data() + kShortBytes + length_bytes(), key.size());
  }
  return key;
}

bool is_known(Opcode opcode) {
  switch (opcode) {
    case Opcode::continuation:
    case Opcode::text:
    case Opcode::binary:
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
      return true;
  }
  return false;
}

void append_text_frame_header(std::string& out, std::size_t payload_bytes) {
  constexpr char kFinalText = static_cast<char>(0x81);
  constexpr char kLength16 = 126;
  constexpr char kLength64 = 127;
  out += kFinalText;
  const auto append_big_endian = [&out, payload_bytes](std::size_t bytes) {
    for (std::size_t i = bytes; i-- > 0;) {
      out += static_cast<char>((payload_bytes >> (8 * i)) & 0xFFU);
    }
  };
  if (payload_bytes < static_cast<std::size_t>(kLength16)) {
    out += static_cast<char>(payload_bytes);
  } else if (payload_bytes <= 0xFFFF) {
    out += kLength16;
    append_big_endian(kLength16Bytes);
  } else {
    out += kLength64;
    append_big_endian(kLength64Bytes);
  }
}

}  // namespace vibes::wire
