// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include <simdjson.h>

namespace vibes::event {

/// How take_out() looks at a document that simdjson has parsed. The views live as long as its
/// parser keeps the document.
struct DomJson {
  using Element = simdjson::dom::element;
  using Object = simdjson::dom::object;
  using Text = std::string_view;
  struct Member {
    std::string_view key;
    Element value;
  };
  /// The members of the outermost object, which has been walked already: it is asked for most.
  using Root = std::span<const Member>;

  /// The first of that name.
  static std::optional<Element> member(Object object, std::string_view name) {
    return value_of<Element>(object.at_key(name));
  }
  static std::optional<Element> member(Root root, std::string_view name) {
    const auto found = std::ranges::find(root, name, &Member::key);
    return found == root.end() ? std::nullopt : std::optional(found->value);
  }
  static std::optional<Text> text(Element element) {
    return value_of<std::string_view>(element.get<std::string_view>());
  }
  static std::optional<Object> object(Element element) {
    return value_of<Object>(element.get<Object>());
  }
  static bool is_null(Element element) { return element.is_null(); }
  static bool is_bool(Element element) { return element.is_bool(); }
  /// A whole number from 0 on.
  static bool is_count(Element element) { return element.is_uint64(); }

 private:
  template <class T>
  static std::optional<T> value_of(simdjson::simdjson_result<T> result) {
    T value;
    if (std::move(result).get(value) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    return value;
  }
};

}  // namespace vibes::event
