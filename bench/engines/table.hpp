// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "report.hpp"

namespace vibes::bench {

/// The engine that the others are set beside.
inline constexpr const char* kYardstick = "file fsync";

/// What several runs measured of several engines: of each figure the median, with the least and the
/// greatest, beside the yardstick's.
class Table {
 public:
  struct Value {
    std::string what;
    double value = 0;
    std::string unit;
  };

  void add(const std::string& engine, const Value& value);
  /// p50 and p99 of the samples.
  void add_latency(const std::string& engine, const std::string& what,
                   std::vector<double>& samples_us);
  [[nodiscard]] std::vector<Figure> figures() const;

 private:
  struct Cell {
    std::string engine;
    std::vector<double> runs;
  };
  struct Row {
    std::string what;
    std::string unit;
    std::vector<Cell> cells;
  };

  std::vector<Row> rows_;
};

}  // namespace vibes::bench
