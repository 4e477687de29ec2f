// SPDX-License-Identifier: MIT
#include "event/base64.hpp"

#include <string>
#include <utility>

#include "support/catch.hpp"

using namespace vibes::event;

TEST_CASE("base64: what was encoded is decoded, and nothing else is", "[event]") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(decode_base64(encode_base64(bytes)) == bytes);
    bytes += static_cast<char>(i * 37);
  }
  const std::pair<const char*, const char*> vectors[] = {// RFC 4648 §10, and the last two digits
                                                         {"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xfb\xff", "+/8="}};
  for (const auto& [plain, text] : vectors) {
    CHECK(encode_base64(plain) == text);
    CHECK(decode_base64(text) == plain);
  }
  for (const char* bad : {"a", "ab", "abc", "ab=c", "a===", "====", "=abc", "YQ=", "YR==", "YWK=",
                          "YWJj ", " YWJj", "YWJj\n", "YW-j", "YWJjYQ==YWJj", "YWJ\xc3"}) {
    INFO(bad);
    CHECK(!decode_base64(bad));
  }
}
