// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::event {

/// Which events a reader wants. A default filter matches everything. Matching looks only at the
/// fields kept beside an event, never at its JSON. A value: copy it freely.
class Filter {
 public:
  Filter() = default;

  /// `types`: categories or exact event types, trimmed, case-insensitive; empty means all.
  /// A name that is a category means the category (the type `claude` is the only type of its name).
  static Result<Filter> make(const std::vector<std::string>& types,
                             std::optional<std::string> session);
  /// The same from a comma-separated list, as in a query string.
  static Result<Filter> parse(std::string_view types, std::optional<std::string> session);

  [[nodiscard]] bool matches(std::string_view type, std::string_view session) const;
  [[nodiscard]] bool matches(const EventView& event) const {
    return matches(event.type, event.session);
  }
  [[nodiscard]] bool matches_everything() const;

 private:
  unsigned categories_ = 0;         // bit per Category
  std::vector<std::string> types_;  // lower case, sorted
  std::optional<std::string> session_;
};

}  // namespace vibes::event
