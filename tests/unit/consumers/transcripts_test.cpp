// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "consumers/group_runner.hpp"
#include "consumers/sessions/session_collector.hpp"
#include "consumers/sessions/transcript_export.hpp"
#include "consumers/sessions/transcript_store.hpp"
#include "io/sim_disk.hpp"
#include "support/temp_dir.hpp"
#include "support/test_log.hpp"
#include "unit/consumers/fixture.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace vibes::test;
using nlohmann::json;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::map<std::string, std::string> files_in(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& one : std::filesystem::directory_iterator(directory)) {
    files[one.path().filename().string()] = contents(one.path());
  }
  return files;
}

std::map<std::string, std::vector<std::byte>> files_on(const io::SimDisk& disk) {
  std::map<std::string, std::vector<std::byte>> files;
  for (const std::string& path : disk.files()) {
    files[path] = disk.contents(path);
  }
  return files;
}

/// Events a second apart, from 2026-01-05T09:00:00Z on.
class Story {
 public:
  void add(const json& event) { add_text(event.dump()); }
  void add_text(const std::string& payload) {
    auto checked = event::check_ndjson(payload);
    REQUIRE_FALSE(checked.refused);
    events_.push_back(event::copy_of(checked.events[0]));
  }
  void add_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    REQUIRE(file);
    for (std::string line; std::getline(file, line);) {
      add_text(line);
    }
  }
  void hook(const std::string& session, const std::string& type, json more = json::object()) {
    more["type"] = type;
    add({{"type", "hook"}, {"session_id", session}, {"event", more}});
  }
  void claude(const std::string& session, json said) {
    add({{"type", "claude"}, {"session_id", session}, {"event", std::move(said)}});
  }
  [[nodiscard]] std::size_t size() const { return events_.size(); }

  /// Folds the events [from, to).
  void fold(TranscriptStore& store, std::size_t from, std::size_t to) const {
    constexpr std::int64_t kStart = 1'767'603'600'000'000;
    for (std::size_t i = from; i < to; ++i) {
      const event::NewEvent& event = events_[i];
      const Timestamp time{kStart + static_cast<std::int64_t>(i) * 1'000'000};
      REQUIRE(store.fold({Offset(i), Uuid{}, time, event.type, event.session, event.payload}));
    }
  }
  void fold(TranscriptStore& store) const { fold(store, 0, size()); }

 private:
  std::vector<event::NewEvent> events_;
};

struct StoreFixture {
  std::unique_ptr<TranscriptStore> open(const std::string& name, std::size_t start = 0,
                                        TranscriptStore::Limits limits = {}) {
    auto store = std::make_unique<TranscriptStore>((dir.path() / name).string(),
                                                   io::posix_file_system(), limits);
    REQUIRE(store->restart(Offset(start), Offset(0)));
    return store;
  }
  std::map<std::string, std::string> files(const std::string& name) {
    return files_in(dir.path() / name);
  }
  /// What one store makes of all events at once.
  std::map<std::string, std::string> expected(const Story& story) {
    const auto store = open("expected");
    story.fold(*store);
    REQUIRE(store->save());
    return files("expected");
  }

  TempDir dir;
};

TranscriptSnapshot snapshot_of(const TranscriptStore& store, const std::string& session) {
  const auto found = store.find(session);
  REQUIRE(found);
  REQUIRE(found->has_value());
  return **found;
}

std::vector<json> entries_of(const TranscriptStore& store, const std::string& session) {
  std::vector<json> entries;
  std::istringstream lines(snapshot_of(store, session).lines);
  for (std::string line; std::getline(lines, line);) {
    entries.push_back(json::parse(line));
  }
  return entries;
}

Story sample_day() {
  Story story;
  story.add_file(VIBES_SAMPLE_DAY);
  return story;
}

}  // namespace

TEST_CASE("Transcript: what is said in pieces is one entry, in its place among the tools",
          "[transcripts]") {
  Story story;
  story.claude("s", {{"type", "turn_start"}});
  story.claude("s", {{"type", "text_delta"}, {"text", "I will "}});
  story.claude("s", {{"type", "text_delta"}, {"text", "look."}});
  story.claude("s", {{"type", "tool_use_start"}, {"id", "t1"}, {"name", "Read"}});
  story.claude("s", {{"type", "tool_input_delta"}, {"id", "t1"}, {"delta", "{\"a\""}});
  story.claude("s", {{"type", "tool_input_delta"}, {"id", "t1"}, {"delta", ":1}"}});
  story.claude("s",
               {{"type", "tool_result"}, {"id", "t1"}, {"output", "no file"}, {"is_error", true}});
  story.claude("s", {{"type", "text_delta"}, {"text", "Done."}});
  story.claude("s",
               {{"type", "turn_complete"}, {"usage", {{"input_tokens", 7}, {"output_tokens", 3}}}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  const auto entries = entries_of(store, "s");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0]["text"] == "I will look.");
  CHECK(entries[1]["input"] == R"({"a":1})");
  CHECK(entries[1]["output"] == "no file");
  CHECK(entries[1]["success"] == false);
  CHECK(entries[1]["duration_ms"] == 3'000);
  CHECK(entries[2]["text"] == "Done.");
  const SessionRecord record = snapshot_of(store, "s").record;
  CHECK(record.input_tokens == 7);
  CHECK(record.output_tokens == 3);
  CHECK(record.tools_failed == 1);
}

TEST_CASE("Transcript: what the terminal and the hook both tell is in it once", "[transcripts]") {
  Story story;
  story.hook("s", "user_prompt_submit", {{"prompt", "fix it"}, {"cwd", "/p"}});
  story.add({{"type", "user_input"}, {"session_id", "s"}, {"content", "fix it"}});
  story.claude("s", {{"type", "tool_use_start"}, {"id", "t1"}, {"name", "Bash"}});
  const json call = {
      {"tool_name", "Bash"}, {"tool_use_id", "t1"}, {"tool_input", {{"command", "ls"}}}};
  story.hook("s", "pre_tool_use", call);
  json done = call;
  done["tool_response"] = {{"stdout", "a\n"}, {"stderr", "b"}, {"interrupted", false}};
  story.hook("s", "post_tool_use", done);
  story.claude("s", {{"type", "tool_result"}, {"id", "t1"}, {"output", "a"}, {"is_error", false}});
  story.add({{"type", "user_input"}, {"session_id", "s"}, {"content", "fix it"}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  const auto entries = entries_of(store, "s");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0]["kind"] == "prompt");
  CHECK(entries[1]["output"] == "a\nb");
  CHECK(entries[1]["success"] == true);
  CHECK(entries[2]["kind"] == "prompt");  // asked again after the answer: not the same prompt
  CHECK(snapshot_of(store, "s").record.cwd == "/p");
}

TEST_CASE("Transcript: an intervention and its delivery are entries", "[transcripts]") {
  Story story;
  story.add({{"type", "intervention"},
             {"session_id", "s"},
             {"kind", "k"},
             {"reason", "r"},
             {"message", "Stop."}});
  story.add({{"type", "intervention_delivered"},
             {"session_id", "s"},
             {"intervention_id", "i"},
             {"hook_event_id", "h"}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  const auto entries = entries_of(store, "s");
  REQUIRE(entries.size() == 2);
  CHECK(entries[0]["kind"] == "intervention");
  CHECK(entries[0]["text"] == "Stop.");
  CHECK(entries[1]["kind"] == "intervention_delivered");
  CHECK(entries[1]["text"] == "The agent was given it with a hook's answer.");
}

TEST_CASE("Transcript: a tool fails by what its answer says, not by text on stderr",
          "[transcripts]") {
  const auto [response, success] = GENERATE(table<json, bool>({
      {{{"stdout", ""}, {"stderr", "warning"}}, true},
      {{{"stdout", ""}, {"interrupted", true}}, false},
      {{{"is_error", true}}, false},
      {{{"stdout", ""}, {"exit_code", 2}}, false},
      {{{"stdout", ""}, {"exitCode", 0}}, true},
      {"text", true},
  }));
  Story story;
  story.hook("s", "post_tool_use", {{"tool_name", "Bash"}, {"tool_response", response}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  CHECK(entries_of(store, "s").at(0)["success"] == success);
}

TEST_CASE("Transcript: a tool without an answer is told as such, before and after the end",
          "[transcripts]") {
  Story story;
  story.hook("s", "pre_tool_use",
             {{"tool_name", "Bash"}, {"tool_use_id", "t"}, {"tool_input", json::object()}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  REQUIRE(entries_of(store, "s").size() == 1);
  CHECK(entries_of(store, "s")[0]["success"].is_null());
  CHECK(snapshot_of(store, "s").record.tools == 0);
  story.hook("s", "session_end");
  story.fold(store);
  REQUIRE(entries_of(store, "s").size() == 1);
  CHECK(snapshot_of(store, "s").record.tools == 1);
  CHECK(snapshot_of(store, "s").record.ended.has_value());
}

TEST_CASE("Transcript: a session that ended says so, and no more once it goes on",
          "[transcripts]") {
  Story story;
  story.hook("agent", "session_end");
  story.add({{"type", "session_state_changed"}, {"session_id", "killed"}, {"state", "Running"}});
  story.add({{"type", "session_removed"}, {"session_id", "killed"}, {"reason", "killed"}});
  story.add({{"type", "session_state_changed"}, {"session_id", "over"}, {"state", "Exited(1)"}});
  story.add({{"type", "session_removed"}, {"session_id", "over"}, {"reason", "session_finished"}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  CHECK(snapshot_of(store, "agent").record.state == "Ended");
  CHECK(snapshot_of(store, "killed").record.state == "Ended(killed)");
  CHECK(snapshot_of(store, "over").record.state == "Exited(1)");
  story.hook("agent", "session_start");
  story.fold(store);
  CHECK(snapshot_of(store, "agent").record.state.empty());
  CHECK_FALSE(snapshot_of(store, "agent").record.ended.has_value());
}

TEST_CASE("Transcript: a long text is cut between characters and says how much is missing",
          "[transcripts]") {
  std::string text = "x";
  while (text.size() < limits::kTranscriptTextBytesMax + 100) {
    text += "ö";
  }
  const CutText whole = cut(text);
  CutText pieces;
  for (std::size_t i = 0; i < text.size(); i += 1'001) {
    pieces.append(text.substr(i, 1'001));
  }
  CHECK(whole.text.size() == limits::kTranscriptTextBytesMax - 1);
  CHECK(whole.text.size() + whole.left_out == text.size());
  CHECK(whole.shown().ends_with("[cut: " + std::to_string(whole.left_out) + " bytes more]"));
  CHECK(pieces.text.size() + pieces.left_out == text.size());
  CHECK(pieces.text.size() <= limits::kTranscriptTextBytesMax);
}

TEST_CASE("Transcript: both sessions of a link know it", "[transcripts]") {
  Story story;
  story.add({{"type", "session_linked"},
             {"session_id", "outer"},
             {"linked_session_id", "inner"},
             {"relation", "subagent"}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  CHECK(snapshot_of(store, "outer").record.links.at(0).session == "inner");
  CHECK(snapshot_of(store, "inner").record.links.at(0).session == "outer");
  CHECK(snapshot_of(store, "inner").record.links.at(0).relation == "parent");
}

TEST_CASE("TranscriptStore: the same log gives the same bytes", "[transcripts]") {
  StoreFixture f;
  const Story story = sample_day();
  const auto expected = f.expected(story);
  REQUIRE(expected.size() >= 10);

  SECTION("however often it is saved") {
    const auto store = f.open("other");
    for (std::size_t i = 0; i < story.size(); ++i) {
      story.fold(*store, i, i + 1);
      if (i % 7 == 0) {
        REQUIRE(store->save());
      }
    }
    REQUIRE(store->save());
    CHECK(f.files("other") == expected);
  }
  SECTION("with a restart anywhere, between a save and its commit, and with work that was lost") {
    const std::string kTorn(100'000, 'x');  // longer than what comes in its place
    const std::size_t committed = GENERATE(0U, 1U, 333U, 500U, 1'000U);
    {
      const auto store = f.open("other");
      story.fold(*store, 0, committed);
      REQUIRE(store->save());
      story.fold(*store, committed, committed + 50);
      REQUIRE(store->save());  // and no commit of it
      story.fold(*store, committed + 50, committed + 60);
    }
    // A save that was cut off: entries are there, the record that counts them is not.
    for (const auto& one : std::filesystem::directory_iterator(f.dir.path() / "other")) {
      if (one.path().extension() == ".jsonl") {
        std::ofstream(one.path(), std::ios::app) << kTorn;
        std::ofstream(one.path().string().substr(0, one.path().string().size() - 1) + ".new")
            << "{";
      }
    }
    const auto store = f.open("other", committed);
    story.fold(*store, committed, story.size());
    REQUIRE(store->save());
    auto files = f.files("other");
    // A session that ended before the cut keeps the rest of the cut-off line, which nobody reads.
    for (auto& [name, bytes] : files) {
      if (name.ends_with(".jsonl") && bytes.ends_with(kTorn)) {
        bytes.resize(bytes.rfind('\n') + 1);
      }
    }
    CHECK(files == expected);
  }
  SECTION("with hardly any room in memory") {
    const auto store = f.open("other", 0, {.sessions = 2, .bytes = 100'000});
    story.fold(*store);
    REQUIRE(store->save());
    CHECK(f.files("other") == expected);
  }
  SECTION("read again from the beginning into what is there") {
    const auto store = f.open("expected");
    CHECK(f.files("expected").empty());
    story.fold(*store);
    REQUIRE(store->save());
    CHECK(f.files("expected") == expected);
  }
}

namespace {

/// A store's life on a disk that forgets, with all the states that disk was in.
struct PowerLoss {
  struct Moment {
    io::SimDisk::State state;
    std::size_t committed = 0;
  };

  void live(const Story& story, std::size_t save_every) {
    std::size_t committed = 0;
    io::SimDisk disk;
    disk.on_change([&](const io::SimDisk::State& now) { moments.push_back({now, committed}); });
    TranscriptStore store("/t", disk);
    REQUIRE(store.restart(Offset(0), Offset(0)));
    for (std::size_t i = 0; i < story.size(); i += save_every) {
      story.fold(store, i, i + save_every);
      REQUIRE(store.save());
      committed = i + save_every;
      moments.push_back({disk.state(), committed});
    }
    expected = files_on(disk);
  }

  /// The power fails at every `step`-th moment, with `samples` of what may be left.
  void check(const Story& story, std::size_t step, int samples) const {
    std::mt19937 random(1);
    for (std::size_t i = 0; i < moments.size(); i += step) {
      for (int sample = 0; sample < samples; ++sample) {
        const auto survives = [&](std::size_t) {
          return sample == 0 || (sample > 1 && random() % 2 == 0);
        };
        io::SimDisk left(moments[i].state.crashed(survives));
        TranscriptStore again("/t", left);
        REQUIRE(again.restart(Offset(moments[i].committed), Offset(0)));
        story.fold(again, moments[i].committed, story.size());
        REQUIRE(again.save());
        REQUIRE(files_on(left) == expected);
      }
    }
  }

  std::vector<Moment> moments;
  std::map<std::string, std::vector<std::byte>> expected;
};

}  // namespace

TEST_CASE("TranscriptStore: after power loss at any moment the log gives the same bytes",
          "[transcripts]") {
  Story story;
  for (int i = 0; i < 20; ++i) {
    const std::string session = i % 3 == 0 ? "a" : i > 10 && i % 3 == 1 ? "c" : "b";
    story.claude(session, {{"type", "text_delta"}, {"text", std::string(300, 'x')}});
    story.hook(session, "user_prompt_submit", {{"prompt", std::to_string(i)}});
  }
  PowerLoss loss;
  loss.live(story, 5);
  REQUIRE(loss.expected.size() == 6);
  loss.check(story, 1, 12);
}

TEST_CASE("TranscriptStore: a save of many sessions at once is as safe", "[transcripts]") {
  constexpr std::size_t kSessions = 24;
  Story story;
  for (std::size_t i = 0; i < 3 * kSessions; ++i) {
    story.add({{"type", "user_input"},
               {"session_id", std::to_string(i % kSessions)},
               {"content", std::to_string(i)}});
  }
  SECTION("from power loss") {
    PowerLoss loss;
    loss.live(story, kSessions);
    REQUIRE(loss.expected.size() == 2 * kSessions);
    loss.check(story, 7, 3);
  }
  SECTION("from a disk that fails once, anywhere") {
    const auto failing = GENERATE(io::SimDisk::Call::write, io::SimDisk::Call::sync,
                                  io::SimDisk::Call::rename, io::SimDisk::Call::sync_directory);
    io::SimDisk disk;
    TranscriptStore store("/t", disk);
    REQUIRE(store.restart(Offset(0), Offset(0)));
    story.fold(store, 0, kSessions);
    REQUIRE(store.save());
    const auto saved = files_on(disk);
    story.fold(store, kSessions, story.size());
    disk.inject({.calls = static_cast<unsigned>(failing), .at = 2, .error = EIO});
    CHECK(store.save().error().code == std::errc::io_error);
    REQUIRE(disk.struck());
    io::SimDisk left(disk.state().crashed([](std::size_t) { return false; }));
    CHECK(files_on(left).size() >= saved.size());
    TranscriptStore again("/t", left);
    REQUIRE(again.restart(Offset(kSessions), Offset(0)));
    story.fold(again, kSessions, story.size());
    REQUIRE(again.save());
    CHECK(entries_of(again, "7").size() == 3);
  }
}

TEST_CASE("TranscriptStore: sessions that are spoken to all the time stay within the limit too",
          "[transcripts]") {
  StoreFixture f;
  Story story;
  for (int i = 0; i < 50; ++i) {
    story.add({{"type", "user_input"}, {"session_id", "s"}, {"content", std::string(4'000, 'x')}});
    story.add({{"type", "turn"}, {"session_id", "s"}});
    story.claude("s", {{"type", "turn_start"}});
    story.claude("s", {{"type", "text_delta"}, {"text", "y"}});
  }
  const auto store = f.open("s", 0, {.sessions = 10, .bytes = 50'000});
  story.fold(*store);
  std::uintmax_t saved = 0;
  for (const auto& one : std::filesystem::directory_iterator(f.dir.path() / "s")) {
    saved += one.path().extension() == ".jsonl" ? one.file_size() : 0;
  }
  CHECK(saved > snapshot_of(*store, "s").lines.size() - 50'000);
}

TEST_CASE("TranscriptStore: what is in memory, saved or put away reads the same", "[transcripts]") {
  StoreFixture f;
  const Story story = sample_day();
  TranscriptStore memory("", io::posix_file_system());
  story.fold(memory);
  const auto small = f.open("small", 0, {.sessions = 2, .bytes = 100'000});
  const auto large = f.open("large");
  story.fold(*small);
  story.fold(*large);
  for (const TranscriptFormat format :
       {TranscriptFormat::json, TranscriptFormat::jsonl, TranscriptFormat::markdown}) {
    for (const char* const session : {"sess-mara-190e76", "sess-ken-44e865", "sess-ines-714e1f"}) {
      const std::string expected = export_transcript(snapshot_of(memory, session), format);
      CHECK(export_transcript(snapshot_of(*small, session), format) == expected);
      CHECK(export_transcript(snapshot_of(*large, session), format) == expected);
    }
  }
  CHECK_FALSE((*small->find("nobody")).has_value());
}

TEST_CASE("TranscriptStore: where the log has lost its beginning, what is known is kept",
          "[transcripts]") {
  StoreFixture f;
  const Story story = sample_day();
  const auto expected = f.expected(story);
  const auto store = f.open("expected", 100);
  REQUIRE(store->restart(Offset(100), Offset(100)));
  story.fold(*store, 100, story.size());
  REQUIRE(store->save());
  CHECK(f.files("expected") == expected);
}

TEST_CASE("TranscriptStore: of too long a transcript the newest whole entries are told",
          "[transcripts]") {
  StoreFixture f;
  Story story;
  for (int i = 0; i < 100; ++i) {
    story.add({{"type", "user_input"}, {"session_id", "s"}, {"content", "p" + std::to_string(i)}});
  }
  const auto store = f.open("s");
  story.fold(*store, 0, 50);
  REQUIRE(store->save());
  story.fold(*store, 50, 100);
  const std::string all = snapshot_of(*store, "s").lines;
  for (const std::size_t bytes_max : {all.size(), all.size() - 1, all.size() / 2, all.size() / 9}) {
    const auto part = store->find("s", bytes_max);
    REQUIRE(part);
    CHECK((*part)->lines.size() <= bytes_max);
    CHECK((*part)->omitted_bytes == all.size() - (*part)->lines.size());
    CHECK(all.ends_with((*part)->lines));
    CHECK((*part)->lines.starts_with(R"({"kind")"));
  }
}

TEST_CASE("TranscriptStore: any id is a session, and none is another's file", "[transcripts]") {
  StoreFixture f;
  const std::vector<std::string> ids = {"../up", "a/b",     ".", "A",
                                        "a",     "nul\x01", "ö", std::string(256, '/')};
  Story story;
  for (const std::string& id : ids) {
    story.add({{"type", "user_input"}, {"session_id", id}, {"content", "of " + id}});
  }
  const auto store = f.open("s");
  story.fold(*store);
  REQUIRE(store->save());
  REQUIRE(store->restart(Offset(story.size()), Offset(0)));
  CHECK(f.files("s").size() == 2 * ids.size());
  for (const std::string& id : ids) {
    CHECK(entries_of(*store, id).at(0)["text"] == "of " + id);
  }
}

TEST_CASE("TranscriptStore: damage is an error, a dead letter, and nobody else's trouble",
          "[transcripts]") {
  StoreFixture f;
  RegistryFixture log;
  const std::string damaged = GENERATE(".json", ".jsonl");
  Story story;
  story.add({{"type", "user_input"}, {"session_id", "s"}, {"content", "x"}});
  const auto store = f.open("s");
  story.fold(*store);
  REQUIRE(store->save());
  for (const auto& one : std::filesystem::directory_iterator(f.dir.path() / "s")) {
    if (one.path().extension() == damaged) {
      std::filesystem::resize_file(one.path(), std::filesystem::file_size(one.path()) / 2);
    }
  }
  const auto handler = collect_sessions(*store, *log.log)(Offset(1));
  CHECK(store->find("s").error().code == std::errc::bad_message);
  const auto handle = [&](std::uint64_t offset, std::string_view session) {
    return handler->handle({Offset(offset), Uuid{}, Timestamp{}, "note", session, "{}"}, 1).kind;
  };
  CHECK(handle(1, "s") == Outcome::Kind::reject);
  CHECK(handle(2, "other") == Outcome::Kind::ok);
  CHECK(handler->settle(Offset(3), Handler::Occasion::last));
  CHECK(snapshot_of(*store, "other").record.events == 1);
}

TEST_CASE("export: a session of the sample day as markdown", "[transcripts]") {
  Story story = sample_day();
  std::ifstream results(VIBES_SAMPLE_RESULTS);
  REQUIRE(results);
  for (std::string id, payload; results >> id && std::getline(results >> std::ws, payload);) {
    story.add_text(payload);
  }
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  const std::string text =
      export_transcript(snapshot_of(store, "sess-mara-190e76"), TranscriptFormat::markdown);
  if (std::getenv("VIBES_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(VIBES_GOLDEN) << text;
  }
  CHECK(text == contents(VIBES_GOLDEN));
}

TEST_CASE("export: no text ends its code block early", "[transcripts]") {
  Story story;
  story.hook("s", "post_tool_use",
             {{"tool_name", "<b>"},
              {"tool_input", {{"command", "</summary>"}}},
              {"tool_response", "```\n````"}});
  TranscriptStore store("", io::posix_file_system());
  story.fold(store);
  const std::string text = export_transcript(snapshot_of(store, "s"), TranscriptFormat::markdown);
  CHECK(text.find("`````\n```\n````\n`````\n") != std::string::npos);
  CHECK(text.find("<summary>&lt;b&gt; <code>&lt;/summary&gt;</code> — ok, 0 ms</summary>") !=
        std::string::npos);
}

TEST_CASE("SessionCollector: a group that stops and starts again has the log's transcripts",
          "[transcripts]") {
  RegistryFixture f;
  StoreFixture files;
  const auto append = [&](int from, int to) {
    std::vector<event::NewEvent> batch;
    for (int i = from; i < to; ++i) {
      const json event = {
          {"type", "user_input"}, {"session_id", "s"}, {"content", std::to_string(i)}};
      batch.push_back({event.dump(), "user_input", "s", std::nullopt});
    }
    std::promise<bool> answer;
    REQUIRE(f.log->append(std::move(batch), [&](const Result<eventlog::AppendReceipt>& receipt) {
      answer.set_value(receipt.has_value());
    }));
    REQUIRE(answer.get_future().get());
  };
  TranscriptStore store((files.dir.path() / "s").string(), io::posix_file_system());
  for (int round = 0; round < 3; ++round) {
    append(round * 1'500, (round + 1) * 1'500);
    const auto runner = std::make_unique<GroupRunner>(
        *f.log, *f.registry, collect_sessions(store, *f.log), RunnerOptions{.group = "sessions"});
    const std::uint64_t wanted = static_cast<std::uint64_t>(round + 1) * 1'500;
    for (bool done = false; !done; std::this_thread::yield()) {
      const auto found = store.find("s");
      REQUIRE(found);
      done = found->has_value() && (*found)->record.prompts == wanted;
    }
  }
  CHECK(f.log->group_offsets().committed("sessions") == Offset(4'500));
  CHECK(entries_of(store, "s").size() == 4'500);
}
