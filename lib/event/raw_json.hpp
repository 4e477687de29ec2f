// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vibes::event {

/// How take_out() looks at a document that nobody has parsed, only judge_json() has read: every
/// look is a search through the text. For a program that sees one event in its life, which this
/// costs less than loading a parser. The views are into the text.
struct RawJson {
  using Element = std::string_view;  // a value as it is spelled, without white space around it
  using Object = std::string_view;   // the same
  using Root = Object;
  using Text = std::string;

  /// The first of that name.
  static std::optional<Element> member(Object object, std::string_view name);
  static std::optional<Text> text(Element element);
  static std::optional<Object> object(Element element) {
    return element.starts_with('{') ? std::optional(element) : std::nullopt;
  }
  static bool is_null(Element element) { return element == "null"; }
  static bool is_bool(Element element) { return element == "true" || element == "false"; }
  /// A whole number from 0 on, however long.
  static bool is_count(Element element);
};

}  // namespace vibes::event
