// SPDX-License-Identifier: MIT
// The recorded day, assessed. To write the golden file anew after a change that is meant:
//   VIBES_WRITE_GOLDEN=1 build/dev/bin/unit_assessment '[golden]'
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"

namespace vibes::consumers::assessment {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const char* path) {
  std::ifstream file(path);
  Lines lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// The results of the day, one a line, when every event is a second after the one before. The state
/// is saved and loaded into a new assessor before the event at `restart`.
Lines assess(const Lines& day, std::size_t restart) {
  Story story;
  for (std::size_t i = 0; i < day.size(); ++i) {
    if (i == restart) {
      const std::string state = story.assessor.save();
      story.assessor = Assessor(Patterns());
      REQUIRE(story.assessor.load(state).has_value());
      REQUIRE(story.assessor.save() == state);
    }
    story.tell_text(day[i]);
  }
  return story.lines;
}

TEST_CASE("assessor: the recorded day gives what it always gave", "[assessment][golden]") {
  const Lines results = assess(lines_of(VIBES_SAMPLE), 0);
  if (std::getenv("VIBES_WRITE_GOLDEN") != nullptr) {
    std::ofstream file(VIBES_GOLDEN);
    for (const auto& line : results) {
      file << line << '\n';
    }
  }
  const Lines golden = lines_of(VIBES_GOLDEN);
  REQUIRE(!golden.empty());
  for (std::size_t i = 0; i < std::min(golden.size(), results.size()); ++i) {
    REQUIRE(results[i] == golden[i]);
  }
  CHECK(results.size() == golden.size());
}

TEST_CASE("assessor: no two results of the recorded day share an id", "[assessment][golden]") {
  const Lines results = assess(lines_of(VIBES_SAMPLE), 0);
  std::set<std::string> ids;
  for (const auto& line : results) {
    ids.insert(line.substr(0, line.find(' ')));
  }
  CHECK(ids.size() == results.size());
}

TEST_CASE("assessor: a restart anywhere changes nothing", "[assessment][golden]") {
  const Lines day = lines_of(VIBES_SAMPLE);
  const Lines whole = assess(day, day.size());
  for (std::size_t restart = 0; restart < day.size(); restart += 97) {
    INFO("restarted before event " << restart);
    REQUIRE(assess(day, restart) == whole);
  }
}

TEST_CASE("assessor: results put back into the log change nothing", "[assessment][golden]") {
  const Lines day = lines_of(VIBES_SAMPLE);
  Story story;
  for (const auto& line : day) {
    const std::size_t made = story.lines.size();
    story.tell_text(line);
    const Lines results(story.lines.begin() + static_cast<std::ptrdiff_t>(made), story.lines.end());
    for (const auto& result : results) {
      // At the same offset again: places of the day's events stay as they are.
      --story.offset;
      story.tell_text(result.substr(result.find(' ') + 1), 0);
    }
  }
  CHECK(story.lines == assess(day, day.size()));
}

}  // namespace
}  // namespace vibes::consumers::assessment
