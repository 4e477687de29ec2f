// SPDX-License-Identifier: MIT
#include "event/raw_json.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "event/ascii.hpp"
#include "event/elements.hpp"

namespace vibes::event {
namespace {

/// The string at the start of `text`, with its quotes.
std::string_view quoted_at_start(std::string_view text) {
  std::size_t quote = 1;
  while (text[quote] != '"') {
    quote += text[quote] == '\\' ? 2U : 1U;
  }
  return text.substr(0, quote + 1);
}

}  // namespace

std::optional<RawJson::Element> RawJson::member(Object object, std::string_view name) {
  Elements members(object);
  while (const auto member = members.next()) {
    const std::string_view key = quoted_at_start(*member);
    if (text(key) == name) {
      return trim(member->substr(member->find(':', key.size()) + 1));
    }
  }
  return std::nullopt;
}

std::optional<std::string> RawJson::text(Element element) {
  if (!element.starts_with('"')) {
    return std::nullopt;
  }
  if (element.find('\\') == std::string_view::npos) {
    return std::string(element.substr(1, element.size() - 2));
  }
  const auto json = nlohmann::json::parse(element, nullptr, false);
  return json.is_string() ? std::optional(json.get<std::string>()) : std::nullopt;
}

bool RawJson::is_count(Element element) {
  return element == "-0" ||
         std::ranges::all_of(element, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace vibes::event
