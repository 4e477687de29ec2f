// SPDX-License-Identifier: MIT
#include "verify/text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace vibes::verify {

std::string printable(std::string_view text) {
  // nlohmann replaces what is no UTF-8 while it writes; reading that back gives the repaired text.
  const nlohmann::json quoted(text);
  const std::string repaired =
      nlohmann::json::parse(quoted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
          .get<std::string>();
  std::string clean;
  for (std::size_t i = 0; i < repaired.size(); ++i) {
    const auto byte = static_cast<unsigned char>(repaired[i]);
    const bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    // U+FFFE and U+FFFF are UTF-8 but no characters of XML.
    const bool is_no_character =
        repaired.compare(i, 3, "\xef\xbf\xbe") == 0 || repaired.compare(i, 3, "\xef\xbf\xbf") == 0;
    if (is_control || is_no_character) {
      clean += "\xef\xbf\xbd";
      i += is_no_character ? 2 : 0;
    } else {
      clean += repaired[i];
    }
  }
  return clean;
}

std::string one_line(std::string_view text) {
  std::string line = printable(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&apos;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string indented(std::string_view text, std::string_view prefix) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    result.append(prefix).append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

}  // namespace vibes::verify
