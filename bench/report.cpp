// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

namespace vibes::bench {

namespace {

const Figure* limit_of(const Figure& figure, const std::vector<Figure>& figures) {
  const auto found = std::ranges::find(figures, figure.limit, &Figure::name);
  return figure.limit.empty() || found == figures.end() || found->value == 0 ? nullptr : &*found;
}

}  // namespace

double percentile(std::vector<double>& samples, double p) {
  std::ranges::sort(samples);
  const auto rank = std::ceil(p / 100 * static_cast<double>(samples.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return samples[std::min(index, samples.size() - 1)];
}

void print_table(std::string_view benchmark, const std::vector<Figure>& figures) {
  std::printf("%.*s\n", static_cast<int>(benchmark.size()), benchmark.data());
  for (const Figure& figure : figures) {
    if (!figure.left_out.empty()) {
      std::printf("  %-44s left out: %s\n", figure.name.c_str(), figure.left_out.c_str());
      continue;
    }
    std::printf("  %-44s %14.1f %-6s", figure.name.c_str(), figure.value, figure.unit.c_str());
    if (figure.spread) {
      std::printf("  %12.1f to %12.1f", figure.spread->first, figure.spread->second);
    }
    if (const Figure* limit = limit_of(figure, figures)) {
      std::printf("  %6.2f x %s", figure.value / limit->value, limit->name.c_str());
    }
    std::printf("\n");
  }
}

bool write_json(std::string_view benchmark, const std::vector<Figure>& figures,
                const std::string& path) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Figure& figure : figures) {
    if (!figure.left_out.empty()) {
      rows.push_back({{"name", figure.name}, {"left_out", figure.left_out}});
      continue;
    }
    nlohmann::json row = {{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}};
    if (figure.spread) {
      row["least"] = figure.spread->first;
      row["greatest"] = figure.spread->second;
    }
    if (const Figure* limit = limit_of(figure, figures)) {
      row["limit"] = limit->name;
      row["ratio"] = figure.value / limit->value;
    }
    rows.push_back(std::move(row));
  }
  std::ofstream file(path);
  file << nlohmann::json{{"benchmark", benchmark}, {"figures", rows}}.dump(2) << "\n";
  return file.flush().good();
}

int report(std::string_view benchmark, const std::vector<Figure>& figures,
           const std::string& json_file) {
  print_table(benchmark, figures);
  if (!json_file.empty() && !write_json(benchmark, figures, json_file)) {
    std::fprintf(stderr, "%s: cannot write it\n", json_file.c_str());
    return 1;
  }
  return 0;
}

}  // namespace vibes::bench
