// SPDX-License-Identifier: MIT
#include "event/base64.hpp"

#include <string>

#include "support/catch.hpp"

using namespace vibes::event;

TEST_CASE("base64: what was encoded is decoded, and nothing else is", "[event]") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(decode_base64(encode_base64(bytes)) == bytes);
    bytes += static_cast<char>(i * 37);
  }
  CHECK(encode_base64("hello") == "aGVsbG8=");
  for (const char* bad : {"a", "ab", "abc", "ab=c", "a===", "====", "=abc", "YQ=", "YR==", "YWK=",
                          "YWJj ", " YWJj", "YWJj\n", "YW-j", "YWJjYQ==YWJj", "YWJ\xc3"}) {
    INFO(bad);
    CHECK(!decode_base64(bad));
  }
}
