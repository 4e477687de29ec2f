// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/connection.hpp"

namespace vibes::net {

/// A query whose arguments have been percent-decoded. Where a name is repeated the first one
/// counts.
class QueryString : public Query {
 public:
  QueryString() = default;

  /// Adds one decoded argument, "name=value" or "name".
  void add(std::string_view argument);
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override;

 private:
  std::vector<std::pair<std::string, std::string>> arguments_;
};

}  // namespace vibes::net
