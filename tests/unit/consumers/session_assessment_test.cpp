// SPDX-License-Identifier: MIT
#include "consumers/sessions/session_assessment.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <nlohmann/json.hpp>

#include "consumers/sessions/assessment_export.hpp"
#include "consumers/sessions/transcript_export.hpp"
#include "consumers/sessions/transcript_store.hpp"
#include "io/file_system.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace vibes::test;
using nlohmann::json;

namespace {

constexpr std::int64_t kStart = 1'767'603'600'000'000;  // 2026-01-05T09:00:00Z

Uuid id_of(std::size_t number) {
  return name_uuid(kUrlNamespace, "urn:test:" + std::to_string(number));
}

/// Results of an assessment, a second apart.
class Results {
 public:
  void reading(std::uint64_t message, double frustration, const char* breaker = "closed",
               const char* session = "s") {
    add({{"type", "assessment"},
         {"tier", "lightweight"},
         {"session_id", session},
         {"message", message},
         {"frustration", frustration},
         {"success", 0.25},
         {"breaker", {{"state", breaker}, {"score", 1.5}}}});
  }
  void checkpoint(std::uint64_t first, std::uint64_t last, const std::string& summary = "done") {
    add({{"type", "assessment"},
         {"tier", "medium"},
         {"session_id", "s"},
         {"message_range", {first, last}},
         {"trigger", "message_count"},
         {"summary", summary},
         {"segment_score", 0.4}});
  }
  void verdict(std::uint64_t messages, std::uint64_t openings, const char* outcome = "failure") {
    add({{"type", "assessment"},
         {"tier", "heavy"},
         {"session_id", "s"},
         {"ended_by", "idle"},
         {"outcome", outcome},
         {"trajectory", "worsening"},
         {"summary", "It went wrong."},
         {"messages", messages},
         {"breaker", {{"state", "closed"}, {"openings", openings}}}});
  }
  /// Returns its event_id.
  std::string intervention() {
    add({{"type", "intervention"},
         {"session_id", "s"},
         {"kind", "explicit_check_in"},
         {"reason", "frustration"},
         {"message", "Stop and ask."}});
    return to_string(id_of(events_.size() - 1));
  }
  void add(const json& event) { events_.push_back(event); }
  [[nodiscard]] std::size_t size() const { return events_.size(); }

  void fold(TranscriptStore& store, std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i < to; ++i) {
      const std::string payload = events_[i].dump();
      const auto type = events_[i]["type"].get<std::string>();
      const auto session = events_[i]["session_id"].get<std::string>();
      const Timestamp time{kStart + static_cast<std::int64_t>(i) * 1'000'000};
      REQUIRE(store.fold({Offset(i), id_of(i), time, type, session, payload}));
    }
  }
  void fold(TranscriptStore& store) const { fold(store, 0, size()); }

 private:
  std::vector<json> events_;
};

TranscriptStore in_memory() { return {"", io::posix_file_system()}; }

SessionAssessment assessment_of(const TranscriptStore& store, const std::string& session = "s") {
  const auto found = store.find(session);
  REQUIRE(found);
  REQUIRE(found->has_value());
  REQUIRE((*found)->record.assessment.has_value());
  return *(*found)->record.assessment;
}

std::string told(const TranscriptStore& store, const std::string& session = "s") {
  const auto found = store.find(session);
  REQUIRE(found);
  REQUIRE(found->has_value());
  return assessment_json((*found)->record, (*found)->next);
}

std::vector<std::string> ids_of(const AssessedPage& page) {
  std::vector<std::string> ids;
  for (const AssessedSession& one : page.sessions) {
    ids.push_back(one.id);
  }
  return ids;
}

/// Every page, `limit` sessions each.
std::vector<std::string> all_pages(const TranscriptStore& store, std::size_t limit) {
  std::vector<std::string> ids;
  std::optional<Offset> before;
  do {
    const auto page = store.assessed(before, limit);
    REQUIRE(page);
    CHECK(page->sessions.size() <= limit);
    const auto more = ids_of(*page);
    ids.insert(ids.end(), more.begin(), more.end());
    before = page->before;
  } while (before);
  return ids;
}

}  // namespace

TEST_CASE("SessionAssessment: readings, checkpoints, interventions and the verdict are kept",
          "[transcripts][assessment]") {
  Results results;
  results.reading(1, 0.12);
  results.reading(3, 0.75, "open");
  const std::string delivered = results.intervention();
  results.checkpoint(1, 5);
  results.intervention();
  results.add({{"type", "intervention_delivered"},
               {"session_id", "s"},
               {"intervention_id", delivered},
               {"hook_event_id", "h"}});
  results.reading(6, 0.2, "half_open");
  results.verdict(7, 1);
  TranscriptStore store = in_memory();
  results.fold(store);
  const json answer = json::parse(told(store));
  CHECK(answer["session"]["frustration"] == 0.2);
  CHECK(answer["session"]["frustration_peak"] == 0.75);
  CHECK(answer["session"]["success"] == 0.25);
  CHECK(answer["session"]["breaker"] == "closed");  // the verdict is the newest word on it
  CHECK(answer["session"]["openings"] == 1);
  CHECK(answer["session"]["messages"] == 7);
  CHECK(answer["session"]["checkpoints"] == 1);
  CHECK(answer["session"]["interventions"] == 2);
  CHECK(answer["session"]["outcome"] == "failure");
  CHECK(answer["session"]["last"] == "2026-01-05T09:00:07.000000Z");
  REQUIRE(answer["curve"].size() == 3);
  CHECK(answer["curve"][1] == json{{"message", 3},
                                   {"time", "2026-01-05T09:00:01.000000Z"},
                                   {"frustration", 0.75},
                                   {"success", 0.25}});
  CHECK(answer["checkpoints"][0]["message_range"] == json{1, 5});
  CHECK(answer["checkpoints"][0]["trigger"] == "message_count");
  CHECK(answer["interventions"][0]["after_message"] == 3);
  CHECK(answer["interventions"][0]["delivered"] == true);
  CHECK(answer["interventions"][1]["delivered"] == false);
  CHECK(answer["verdict"]["summary"] == "It went wrong.");
  CHECK(answer["next"] == results.size());
}

TEST_CASE("FrustrationCurve: however long, it is bounded, even and has every stretch's peak",
          "[transcripts][assessment]") {
  constexpr std::size_t kPointsMax = 8;
  const std::size_t readings = GENERATE(0U, 1U, 8U, 9U, 16U, 17U, 100U, 1'000U, 4'097U);
  FrustrationCurve curve;
  std::vector<CurvePoint> all;
  for (std::size_t i = 1; i <= readings; ++i) {
    const double frustration = static_cast<double>(i * 7'919 % 1'000) / 1'000;
    all.push_back({i, {static_cast<std::int64_t>(i)}, frustration, 0});
    curve.add(all.back(), kPointsMax);
    REQUIRE(curve.points.size() <= kPointsMax);
  }
  REQUIRE(curve.points.size() == (readings + curve.step - 1) / curve.step);
  for (std::size_t i = 0; i < curve.points.size(); ++i) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(i * curve.step);
    const auto to =
        all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), (i + 1) * curve.step));
    const auto peak = std::max_element(from, to, [](const CurvePoint& a, const CurvePoint& b) {
      return a.frustration < b.frustration;
    });
    CHECK(curve.points[i].frustration == peak->frustration);
    CHECK(curve.points[i].message >= from->message);
    CHECK(curve.points[i].message <= std::prev(to)->message);
  }
}

TEST_CASE("SessionAssessment: what is kept of a session that never ends is bounded",
          "[transcripts][assessment]") {
  Results results;
  for (std::uint64_t i = 1; i <= 3 * limits::kCurvePointsMax; ++i) {
    results.reading(i, i == 100 ? 0.9 : 0.1);
    results.checkpoint(i, i, std::string(5'000, 'x'));
    results.intervention();
  }
  TranscriptStore store = in_memory();
  results.fold(store);
  const SessionAssessment found = assessment_of(store);
  CHECK(found.curve.points.size() <= limits::kCurvePointsMax);
  CHECK(found.curve.points.at(24).message == 100);  // of each four the highest
  CHECK(found.checkpoints.size() == limits::kCheckpointsKept);
  CHECK(found.checkpoints.back().last == 3 * limits::kCurvePointsMax);
  CHECK(found.checkpoints.back().summary.size() <= 1'024);
  CHECK(found.interventions.size() <= 64);
  CHECK(found.checkpoints_told == 3 * limits::kCurvePointsMax);
  const json answer = json::parse(told(store));
  CHECK(answer["curve"].back()["message"] == 3 * limits::kCurvePointsMax);  // the newest is there
  CHECK(answer["session"]["frustration_peak"] == 0.9);
}

TEST_CASE("SessionAssessment: messages go on counting where a session is assessed anew",
          "[transcripts][assessment]") {
  Results results;
  results.reading(4, 0.3, "open");
  SECTION("after a verdict") {
    results.verdict(10, 3);
    results.reading(2, 0.1, "open");
    results.checkpoint(1, 5);
    TranscriptStore store = in_memory();
    results.fold(store);
    const SessionAssessment found = assessment_of(store);
    CHECK(found.curve.points.back().message == 12);
    CHECK(found.checkpoints.back().first == 11);
    CHECK(found.checkpoints.back().last == 15);
    CHECK(found.openings == 4);  // three that the verdict knew, one after it
    CHECK(found.verdict->message == 10);
  }
  SECTION("without one") {
    results.reading(3, 0.1);
    TranscriptStore store = in_memory();
    results.fold(store);
    CHECK(assessment_of(store).curve.points.back().message == 7);
  }
}

TEST_CASE("SessionAssessment: absurd results leave nothing but their trace",
          "[transcripts][assessment]") {
  const json absurd = GENERATE(
      json{{"tier", "lightweight"}},
      json{{"tier", "lightweight"}, {"message", 0}, {"frustration", 1}},
      json{{"tier", "lightweight"}, {"message", -1}, {"frustration", 0.5}},
      json{{"tier", "lightweight"}, {"message", 18446744073709551615U}, {"frustration", 0.5}},
      json{{"tier", "lightweight"}, {"message", 1}, {"frustration", "much"}},
      json{{"tier", "medium"}, {"message_range", {5, 1}}},
      json{{"tier", "medium"}, {"message_range", "all"}}, json{{"tier", "heavy"}, {"outcome", 1}},
      json{{"tier", 7}}, json{{"tier", "other"}});
  Results results;
  json event = absurd;
  event["type"] = "assessment";
  event["session_id"] = "s";
  results.add(event);
  TranscriptStore store = in_memory();
  results.fold(store);
  const SessionAssessment found = assessment_of(store);
  CHECK(found.curve.points.empty());
  CHECK(found.checkpoints.empty());
  CHECK_FALSE(found.verdict.has_value());
  CHECK(json::parse(told(store))["session"]["frustration"] == 0.0);
}

TEST_CASE("SessionAssessment: a frustration out of its range is taken for the nearest in it",
          "[transcripts][assessment]") {
  Results results;
  results.reading(1, 1e300);
  results.reading(2, -4);
  TranscriptStore store = in_memory();
  results.fold(store);
  CHECK(assessment_of(store).peak.frustration == 1.0);
  CHECK(assessment_of(store).latest.frustration == 0.0);
}

TEST_CASE("SessionAssessment: saved and loaded at any moment it goes on to the same bytes",
          "[transcripts][assessment]") {
  Results results;
  for (std::uint64_t i = 1; i <= 1'400; ++i) {
    results.reading(i, static_cast<double>(i * 7'919 % 1'000) / 1'000,
                    i % 9 == 0 ? "open" : "closed");
    if (i % 50 == 0) {
      results.checkpoint(i - 49, i, "ö \"quoted\" \n");
      (void)results.intervention();
    }
  }
  results.verdict(1'400, 200);
  results.reading(1, 0.1);
  TempDir dir;
  const auto directory = [&](const char* name) { return (dir.path() / name).string(); };
  TranscriptStore whole(directory("whole"), io::posix_file_system());
  REQUIRE(whole.restart(Offset(0), Offset(0)));
  results.fold(whole);
  const std::size_t cut =
      GENERATE(std::size_t{1}, std::size_t{511}, std::size_t{512}, std::size_t{1'300});
  {
    TranscriptStore begun(directory("cut"), io::posix_file_system());
    REQUIRE(begun.restart(Offset(0), Offset(0)));
    results.fold(begun, 0, cut);
    REQUIRE(begun.save());
    results.fold(begun, cut, cut + 10);  // and lost
  }
  TranscriptStore again(directory("cut"), io::posix_file_system());
  REQUIRE(again.restart(Offset(cut), Offset(0)));
  results.fold(again, cut, results.size());
  CHECK(told(again) == told(whole));
  REQUIRE(again.save());
  REQUIRE(whole.save());
  const auto record = [&](const TranscriptStore& store) {
    return dump_record((*store.find("s"))->record);
  };
  CHECK(record(again) == record(whole));
}

TEST_CASE("SessionRecord: one that was saved before there were assessments loads",
          "[transcripts][assessment]") {
  SessionRecord record;
  record.id = "s";
  const std::string old = dump_record(record);
  CHECK(old.find("assess") == std::string::npos);
  const auto loaded = parse_record(old);
  REQUIRE(loaded);
  CHECK_FALSE(loaded->assessment.has_value());
  CHECK(dump_record(*loaded) == old);
}

TEST_CASE("SessionRecord: a damaged assessment is an error", "[transcripts][assessment]") {
  SessionRecord record;
  record.id = "s";
  record.assessment.emplace();
  const std::string good = dump_record(record);
  REQUIRE(parse_record(good));
  for (const char* const name : {"curve", "curve_step", "latest", "openings", "verdict"}) {
    std::string bad = good;
    const std::size_t at = bad.rfind('"' + std::string(name) + '"');
    REQUIRE(at != std::string::npos);
    bad[at + 1] = 'x';
    CHECK_FALSE(parse_record(bad));
  }
}

TEST_CASE("TranscriptStore: assessed sessions are listed newest result first, page by page",
          "[transcripts][assessment]") {
  Results results;
  std::vector<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    const std::string session = "s" + std::to_string(i);
    results.add({{"type", "session_created"}, {"session_id", session}, {"name", "N" + session}});
    results.reading(1, 0.1, "closed", session.c_str());
    results.add({{"type", "note"}, {"session_id", "never" + session}});
    expected.insert(expected.begin(), session);
  }
  results.reading(2, 0.5, "closed", "s3");  // is the newest again
  std::rotate(expected.begin(), std::find(expected.begin(), expected.end(), "s3"),
              std::find(expected.begin(), expected.end(), "s3") + 1);

  TempDir dir;
  const std::string directory = (dir.path() / "t").string();
  const TranscriptStore::Limits few{.sessions = 4, .bytes = 100'000'000};
  TranscriptStore store(directory, io::posix_file_system(), few);
  REQUIRE(store.restart(Offset(0), Offset(0)));
  results.fold(store);
  const std::size_t limit = GENERATE(1U, 7U, 25U, 100U);
  CHECK(all_pages(store, limit) == expected);
  REQUIRE(store.save());

  SECTION("after a restart, from the records") {
    TranscriptStore again(directory, io::posix_file_system(), few);
    REQUIRE(again.restart(Offset(results.size()), Offset(0)));
    CHECK(all_pages(again, limit) == expected);
    const auto before = store.assessed(std::nullopt, 100);
    const auto after = again.assessed(std::nullopt, 100);
    CHECK(assessed_page_json(*after) == assessed_page_json(*before));
    CHECK(after->sessions.at(0).name == "Ns3");
    CHECK(after->sessions.at(0).frustration == 0.5);
  }
  SECTION("after a restart, with news before anybody asks") {
    TranscriptStore again(directory, io::posix_file_system(), few);
    REQUIRE(again.restart(Offset(results.size()), Offset(0)));
    results.reading(9, 0.9, "closed", "s7");
    results.fold(again, results.size() - 1, results.size());
    const auto page = again.assessed(std::nullopt, 100);
    CHECK(page->sessions.size() == expected.size());
    CHECK(page->sessions.at(0).id == "s7");
    CHECK(page->sessions.at(0).frustration == 0.9);
  }
  SECTION("nothing of a log that is read anew from its beginning") {
    REQUIRE(store.restart(Offset(0), Offset(0)));
    CHECK(all_pages(store, limit).empty());
  }
}

TEST_CASE("TranscriptStore: a list asked for while sessions are folded and put away misses none",
          "[transcripts][assessment]") {
  constexpr int kSessions = 60;
  Results results;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < kSessions; ++i) {
      results.reading(static_cast<std::uint64_t>(round + 1), 0.1 * round, "closed",
                      ("s" + std::to_string(i)).c_str());
    }
  }
  TempDir dir;
  TranscriptStore store((dir.path() / "t").string(), io::posix_file_system(),
                        {.sessions = 4, .bytes = 100'000'000});
  REQUIRE(store.restart(Offset(0), Offset(0)));
  results.fold(store, 0, kSessions);
  REQUIRE(store.save());
  REQUIRE(store.restart(Offset(kSessions), Offset(0)));
  std::atomic<bool> complete = true;
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto page = store.assessed(std::nullopt, 1'000);
      complete = complete && page && page->sessions.size() == kSessions;
    }
  });
  results.fold(store, kSessions, results.size());
  reader.request_stop();
  reader.join();
  CHECK(complete);
  const auto page = store.assessed(std::nullopt, 1'000);
  REQUIRE(page);
  for (const AssessedSession& one : page->sessions) {
    CHECK(one.messages == 4);
  }
}

TEST_CASE("AssessedIndex: of too many sessions those with the oldest results go",
          "[transcripts][assessment]") {
  AssessedIndex index(3);
  const auto put = [&](const char* id, std::uint64_t at) {
    AssessedSession session;
    session.id = id;
    session.last = Offset(at);
    index.put(session);
  };
  put("a", 1);
  put("b", 2);
  put("c", 3);
  put("a", 4);
  put("d", 5);
  std::vector<std::string> ids;
  for (const AssessedSession& one : index.page(std::nullopt, 10)) {
    ids.push_back(one.id);
  }
  CHECK(ids == std::vector<std::string>{"d", "a", "c"});
  CHECK_FALSE(index.contains("b"));
  CHECK(index.page(Offset(4), 10).at(0).id == "c");
}
