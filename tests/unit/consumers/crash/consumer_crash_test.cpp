// SPDX-License-Identifier: MIT
// Every consumer of this process, killed with SIGKILL at every step between being handed an event
// and the commit of it: before and after handle(), settle() and the commit, and before, in the
// middle of and after everything it appends to the log and changes on disk.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "unit/consumers/crash/lives.hpp"

namespace vibes::test {
namespace {

// A stretch of the day in which sessions work side by side: prompts, tools, approvals.
constexpr std::size_t kFirstEvent = 29;
constexpr std::size_t kEventsOfTheDay = 24;
// Between them what waits for the agents, and one delivery of it.
constexpr std::size_t kEvents = kEventsOfTheDay + kInterventions + 1;
// Far more than there are steps: whoever gets here does not come to an end.
constexpr std::uint64_t kLivesMax = 2'000;

/// The recorded day without the pieces in which answers and the tools' inputs arrive.
std::vector<std::string> events_of_the_day() {
  std::ifstream file(VIBES_SAMPLE);
  std::vector<std::string> events;
  for (std::string line;
       std::getline(file, line) && events.size() < kFirstEvent + kEventsOfTheDay;) {
    const bool is_piece = line.find("_delta\"") != std::string::npos ||
                          line.find("\"tool_use_start\"") != std::string::npos ||
                          line.find("\"pre_tool_use\"") != std::string::npos;
    if (!is_piece) {
      events.push_back(line);
    }
  }
  REQUIRE(events.size() == kFirstEvent + kEventsOfTheDay);
  return {events.begin() + kFirstEvent, events.end()};
}

std::string intervention(const std::string& session) {
  return R"({"type":"intervention","session_id":")" + session +
         R"(","kind":"k","reason":"r","message":"Look again, )" + session + "\"}";
}

std::string delivery(const std::string& session, std::size_t intervention_at) {
  return R"({"type":"intervention_delivered","session_id":")" + session +
         R"(","intervention_id":")" +
         to_string(name_uuid(kUrlNamespace, std::to_string(intervention_at))) +
         R"(","hook_event_id":")" + to_string(name_uuid(kUrlNamespace, "a hook")) + "\"}";
}

/// The day with an intervention after every few of its events, also after the last one.
std::vector<std::string> events_with_interventions() {
  constexpr std::size_t kApart = kEventsOfTheDay / kInterventions;
  const std::vector<std::string> day = events_of_the_day();
  std::vector<std::string> events;
  for (std::size_t i = 0; i < day.size(); ++i) {
    events.push_back(day[i]);
    if ((i + 1) % kApart == 0) {
      const std::string session = intervened_session(i / kApart);
      events.push_back(intervention(session));
      if (i / kApart == kDeliveredIntervention) {
        events.push_back(delivery(session, events.size() - 1));
      }
    }
  }
  REQUIRE(events.size() == kEvents);
  return events;
}

/// How many steps further the next kill is: 1, or what is set where a process is dear.
std::uint64_t stride() {
  const char* given = std::getenv("VIBES_CRASH_STRIDE");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

/// The lives of one consumer over one log, from its first start on.
class Lives {
 public:
  Lives(const ConsumerRow& row, const std::filesystem::path& log) : row_(row) {
    std::filesystem::copy(log, dir_.path(), std::filesystem::copy_options::recursive);
  }

  /// Returns whether it was killed.
  bool live(const DieAt& die_at) {
    const LifeEnd end = test::live(row_, dir_.path().string(), kEvents, ++lives_, die_at);
    REQUIRE(end != LifeEnd::failed);
    return end == LifeEnd::killed;
  }
  [[nodiscard]] std::vector<std::string> result() const {
    return result_of(row_, dir_.path().string());
  }
  void check_deliveries() const {
    const auto lives = read_notes(dir_.path().string());
    REQUIRE(lives.size() == lives_);
    std::uint64_t committed = 0;
    std::set<std::uint64_t> handled;
    std::optional<std::uint64_t> committing;
    for (const LifeNotes& life : lives) {
      // Every life goes on from the last commit, which may be durable without a note of it.
      REQUIRE(life.start.has_value());
      const bool confirmed = life.start == committed;
      REQUIRE((confirmed || (committing && life.start == committing)));
      for (std::size_t i = 0; i < life.handled.size(); ++i) {
        REQUIRE(life.handled[i] == *life.start + i);
        handled.insert(life.handled[i]);
      }
      committed = *life.start;
      for (const std::uint64_t next : life.committed) {
        REQUIRE(next > committed);
        REQUIRE(handled.size() >= next);  // dense from 0, for each life is
        committed = next;
      }
      committing = life.committing;
    }
    REQUIRE(committed >= kEvents);
  }

  /// What was done again lies behind the commit from which the later life started.
  void check_repeats() const {
    if (!row_.effects) {
      return;
    }
    const auto lives = read_notes(dir_.path().string());
    for (const Effect& effect : row_.effects(dir_.path().string())) {
      REQUIRE(effect.offset >= lives.at(effect.life - 1).start);
    }
  }

 private:
  const ConsumerRow& row_;
  const TempDir dir_;
  std::uint64_t lives_ = 0;
};

/// The log that every life starts with.
struct Origin {
  Origin() { make_log(dir.path().string(), events_with_interventions()); }
  const TempDir dir;
};

std::vector<std::string> undisturbed(const ConsumerRow& row, const Origin& origin) {
  Lives lives(row, origin.dir.path());
  REQUIRE_FALSE(lives.live({}));
  lives.check_deliveries();
  auto result = lives.result();
  REQUIRE(result.size() > 3);  // else there is nothing to lose
  return result;
}

void check_is_as_undisturbed(const Lives& lives, const std::vector<std::string>& expected) {
  lives.check_deliveries();
  lives.check_repeats();
  const auto result = lives.result();
  REQUIRE(result == expected);
}

/// Lives and dies once, goes on undisturbed, and checks how it ended. Returns whether it died.
bool is_killed_once(const ConsumerRow& row, const Origin& origin, const DieAt& die_at,
                    const std::vector<std::string>& expected) {
  CAPTURE(die_at.number);
  Lives lives(row, origin.dir.path());
  const bool killed = lives.live(die_at);
  if (killed) {
    REQUIRE_FALSE(lives.live({}));
  }
  check_is_as_undisturbed(lives, expected);
  return killed;
}

}  // namespace

TEST_CASE("consumers: killed once, at any step, they skip nothing and end as undisturbed",
          "[consumers][crash]") {
  const Origin origin;
  for (const ConsumerRow& row : consumer_rows(kEvents)) {
    DYNAMIC_SECTION(row.group) {
      const auto expected = undisturbed(row, origin);
      std::uint64_t k = 1;
      while (is_killed_once(row, origin, {k}, expected)) {
        REQUIRE((k += stride()) < kLivesMax);
      }
      // What runs beside the consumer may move steps, so that the k-th is not always the same one.
      for (const char* step : {"before handle", "after handle", "before settle", "after settle",
                               "before commit", "after commit"}) {
        CAPTURE(step);
        REQUIRE(is_killed_once(row, origin, {1, step}, expected));
      }
    }
  }
}

TEST_CASE("consumers: killed again and again, each time a step later, they come to the same end",
          "[consumers][crash]") {
  const Origin origin;
  for (const ConsumerRow& row : consumer_rows(kEvents)) {
    DYNAMIC_SECTION(row.group) {
      const auto expected = undisturbed(row, origin);
      Lives lives(row, origin.dir.path());
      std::uint64_t k = 1;
      while (lives.live({k})) {
        REQUIRE(++k < kLivesMax);
      }
      check_is_as_undisturbed(lives, expected);
    }
  }
}

}  // namespace vibes::test
