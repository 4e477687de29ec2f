// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace vibes::ctl {

/// Columns aligned by their widest cell, two spaces apart, without trailing spaces.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading) { add(std::move(heading)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace vibes::ctl
