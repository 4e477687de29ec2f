// SPDX-License-Identifier: MIT
#include "event/event.hpp"

#include <array>

#include "event/ascii.hpp"
#include "event/known_types.hpp"

namespace vibes::event {
namespace {

constexpr std::array<std::string_view, 5> kNames{"claude", "session", "hook", "assessment",
                                                 "custom"};

}  // namespace

std::string_view to_string(Category category) {
  return kNames.at(static_cast<std::size_t>(category));
}

std::optional<Category> parse_category(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (equal_ignoring_case(kNames.at(i), name)) {
      return static_cast<Category>(i);
    }
  }
  return std::nullopt;
}

Category category_of(std::string_view type) {
  const KnownType* known = find_known_type(type);
  return known == nullptr ? Category::custom : known->category;
}

}  // namespace vibes::event
