// SPDX-License-Identifier: MIT
#include "wire/frame_header.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace vibes::wire {
namespace {

using namespace std::string_view_literals;

TEST_CASE("FrameHeader: what it says once it is whole", "[wire]") {
  struct Case {
    std::string_view bytes;
    Opcode opcode;
    bool final;
    bool masked;
    std::uint64_t payload_bytes;
  };
  const Case cases[] = {
      {"\x81\x00"sv, Opcode::text, true, false, 0},
      {"\x01\x7d"sv, Opcode::text, false, false, 125},
      {"\x82\x7e\x00\x7e"sv, Opcode::binary, true, false, 126},
      {"\x00\x7e\xff\xff"sv, Opcode::continuation, false, false, 65'535},
      {"\x81\x7f\x01\x02\x03\x04\x05\x06\x07\x08"sv, Opcode::text, true, false, 0x0102030405060708},
      {"\x89\x85keys"sv, Opcode::ping, true, true, 5},
      {"\x81\xfe\x01\x00keys"sv, Opcode::text, true, true, 256},
      {"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00keys"sv, Opcode::text, true, true, 65'536},
  };
  for (const Case& expected : cases) {
    const std::string behind = std::string(expected.bytes) + "payload";
    // In one piece, then byte by byte: it never takes what is not its own.
    FrameHeader at_once;
    CHECK(at_once.take(behind) == expected.bytes.size());
    FrameHeader in_bytes;
    for (std::size_t i = 0; i < expected.bytes.size(); ++i) {
      CHECK(!in_bytes.is_whole());
      CHECK(in_bytes.take(std::string_view(behind).substr(i, 1)) == 1);
      CHECK(in_bytes.bytes_taken() == i + 1);
    }
    for (FrameHeader* header : {&at_once, &in_bytes}) {
      REQUIRE(header->is_whole());
      CHECK(header->take("more") == 0);
      CHECK(header->opcode() == expected.opcode);
      CHECK(header->is_final() == expected.final);
      CHECK(header->is_masked() == expected.masked);
      CHECK(header->payload_bytes() == expected.payload_bytes);
      CHECK(header->is_control() == (expected.opcode == Opcode::ping));
      CHECK(header->has_long_length() == (expected.payload_bytes > 125));
      CHECK(!header->has_reserved_bits());
      if (expected.masked) {
        CHECK(header->masking_key() == MaskingKey{'k', 'e', 'y', 's'});
      }
      header->clear();
      CHECK(header->bytes_taken() == 0);
      CHECK(header->take("\x88\x00"sv) == 2);
      CHECK(header->opcode() == Opcode::close);
      CHECK(header->payload_bytes() == 0);
    }
  }
}

TEST_CASE("FrameHeader: reserved bits and opcodes are seen with the first byte", "[wire]") {
  for (unsigned first = 0; first < 256; ++first) {
    FrameHeader header;
    const char byte = static_cast<char>(first);
    REQUIRE(header.take({&byte, 1}) == 1);
    CHECK(header.has_reserved_bits() == ((first >> 4U & 7U) != 0));
    const unsigned opcode = first & 15U;
    CHECK(is_known(header.opcode()) == (opcode < 3 || (opcode >= 8 && opcode < 11)));
    CHECK(header.is_control() == (opcode >= 8));
  }
}

TEST_CASE("append_text_frame_header: what is written is read back", "[wire]") {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 1'000'000'000U}) {
    std::string bytes = "before";
    append_text_frame_header(bytes, size);
    FrameHeader header;
    CHECK(header.take(std::string_view(bytes).substr(6)) == bytes.size() - 6);
    REQUIRE(header.is_whole());
    CHECK(header.opcode() == Opcode::text);
    CHECK(header.is_final());
    CHECK(!header.is_masked());
    CHECK(header.payload_bytes() == size);
  }
}

}  // namespace
}  // namespace vibes::wire
