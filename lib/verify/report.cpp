// SPDX-License-Identifier: MIT
#include "verify/report.hpp"

#include <algorithm>

#include "verify/reporters.hpp"

namespace vibes::verify {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::passed:
      return "passed";
    case Status::failed:
      return "failed";
    case Status::skipped:
      return "skipped";
  }
  return "";
}

std::size_t ScenarioResult::count(Status status) const {
  return static_cast<std::size_t>(
      std::count_if(checks.begin(), checks.end(),
                    [status](const CheckResult& check) { return check.status == status; }));
}

Status ScenarioResult::status() const {
  if (count(Status::failed) > 0) {
    return Status::failed;
  }
  return count(Status::passed) > 0 ? Status::passed : Status::skipped;
}

std::optional<Format> parse_format(std::string_view name) {
  if (name == "human") {
    return Format::human;
  }
  if (name == "tap") {
    return Format::tap;
  }
  if (name == "junit") {
    return Format::junit;
  }
  if (name == "json") {
    return Format::json;
  }
  return std::nullopt;
}

std::unique_ptr<Reporter> make_reporter(Format format, Colour colour) {
  switch (format) {
    case Format::human:
      return make_human_reporter(colour);
    case Format::tap:
      return make_tap_reporter();
    case Format::junit:
      return make_junit_reporter();
    case Format::json:
      return make_json_reporter();
  }
  return nullptr;
}

}  // namespace vibes::verify
