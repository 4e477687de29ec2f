// SPDX-License-Identifier: MIT
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "event/check.hpp"
#include "event/event.hpp"
#include "support/catch.hpp"

namespace vibes {
namespace {

std::vector<std::string> sample_lines() {
  std::ifstream file(VIBES_SAMPLE);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST_CASE("sample: every line passes the checker and keeps its bytes", "[sample]") {
  const auto lines = sample_lines();
  REQUIRE(lines.size() >= 1'000);
  for (const auto& line : lines) {
    const auto event = event::check(line);
    INFO(line);
    REQUIRE(event.has_value());
    REQUIRE(event->payload == line);
  }
}

TEST_CASE("sample: several sessions are interleaved and every category but assessment occurs",
          "[sample]") {
  std::map<event::Category, int> categories;
  std::set<std::string> sessions;
  int changes = 0;
  std::string last;
  for (const auto& line : sample_lines()) {
    const auto event = event::check(line);
    REQUIRE(event.has_value());
    ++categories[event::category_of(event->type)];
    sessions.insert(event->session);
    changes += event->session == last ? 0 : 1;
    last = event->session;
  }
  CHECK(sessions.size() >= 6);
  CHECK(changes > 200);
  CHECK(categories.size() == 4);
  CHECK(categories[event::Category::hook] > 100);
  CHECK(categories[event::Category::claude] > 300);
}

}  // namespace
}  // namespace vibes
