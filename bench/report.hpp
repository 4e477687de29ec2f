// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vibes::bench {

/// One measured number. `limit` names the number of the same run that the machine itself allows
/// (empty: none), so that a result is a ratio and not a boast about hardware.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;  // "1/s", "us", "MiB/s", "bytes"
  std::string limit = {};
  /// Of several runs the least and the greatest, where `value` is their median.
  std::optional<std::pair<double, double>> spread = {};
  /// Why there is no value. Empty: there is one.
  std::string left_out = {};
};

/// The p-th percentile (0 to 100) by nearest rank; sorts `samples`. Needs at least one.
double percentile(std::vector<double>& samples, double p);

/// Prints `figures` as a table, each beside its limit.
void print_table(std::string_view benchmark, const std::vector<Figure>& figures);
/// Writes
/// {"benchmark":…,"figures":[{"name","value","unit","least"?,"greatest"?,"limit"?,"ratio"?}]},
/// with {"name","left_out"} where there is no value.
/// False if the file cannot be written.
bool write_json(std::string_view benchmark, const std::vector<Figure>& figures,
                const std::string& path);

/// What every benchmark does with its results: the table on stdout and, where `json_file` is not
/// empty, the JSON in that file. Returns main's status.
int report(std::string_view benchmark, const std::vector<Figure>& figures,
           const std::string& json_file);

}  // namespace vibes::bench
