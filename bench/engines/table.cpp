// SPDX-License-Identifier: MIT
#include "engines/table.hpp"

#include <algorithm>

namespace vibes::bench {
namespace {

std::string name_of(const std::string& what, const std::string& engine) {
  return what + ": " + engine;
}

}  // namespace

void Table::add(const std::string& engine, const Value& value) {
  auto row = std::ranges::find(rows_, value.what, &Row::what);
  if (row == rows_.end()) {
    row = rows_.insert(rows_.end(), {value.what, value.unit, {}});
  }
  auto cell = std::ranges::find(row->cells, engine, &Cell::engine);
  if (cell == row->cells.end()) {
    cell = row->cells.insert(row->cells.end(), {engine, {}});
  }
  cell->runs.push_back(value.value);
}

void Table::add_latency(const std::string& engine, const std::string& what,
                        std::vector<double>& samples_us) {
  add(engine, {what + ", p50", percentile(samples_us, 50), "us"});
  add(engine, {what + ", p99", percentile(samples_us, 99), "us"});
}

std::vector<Figure> Table::figures() const {
  std::vector<Figure> figures;
  for (const Row& row : rows_) {
    for (const Cell& cell : row.cells) {
      std::vector<double> runs = cell.runs;
      Figure figure{name_of(row.what, cell.engine), percentile(runs, 50), row.unit};
      figure.limit = cell.engine == kYardstick ? "" : name_of(row.what, kYardstick);
      figure.spread = {runs.front(), runs.back()};
      figures.push_back(figure);
    }
  }
  return figures;
}

}  // namespace vibes::bench
