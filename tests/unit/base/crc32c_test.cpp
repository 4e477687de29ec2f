// SPDX-License-Identifier: MIT
#include "base/crc32c.hpp"

#include <string>

#include "support/catch.hpp"

using vibes::crc32c;

TEST_CASE("crc32c: the vectors of RFC 3720 §B.4", "[base]") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  std::string up;
  for (char c = 0; c < 32; ++c) {
    up.push_back(c);
  }
  CHECK(crc32c(up) == 0x46dd794eU);
  CHECK(crc32c(std::string_view("123456789")) == 0xe3069283U);
}

TEST_CASE("crc32c: a sum can be continued", "[base]") {
  const std::string text = "the log comes first; everything else reads from it";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
  }
}
