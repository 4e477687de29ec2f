// SPDX-License-Identifier: MIT
#include "verify/history.hpp"

#include "story.hpp"
#include "support/catch.hpp"
#include "verify/errc.hpp"
#include "verify/recorder.hpp"

using namespace vibes;
using namespace vibes::verify;

TEST_CASE("history: every kind of record survives a file", "[verify][history]") {
  Story story;
  story.appended(0, 1, 0).refuse(1, 1).no_answer(1, 2).connect(1, 0, 0, {"a", "b"});
  story.send(1, 3).ack_pending(1, 3);
  story.connect_live(2, 0).deliver(1, 0, 0, 1, 0).position(1, 0, 1).gap(1, 0, 0, 4).finish(1);
  story.join(0).process(0, 1, 0).commit(1).fault().recover(1, 5, 5);
  story.history.disconnects.push_back({1, 0, "a \"reason\"\n", 77});
  story.history.seed = 0xffff'ffff'ffff'ffffU;
  story.history.kept_from = Offset(3);
  story.history.server_types = {"client_connected"};
  const std::string text = to_jsonl(story.history);
  const auto reread = parse_jsonl(text);
  REQUIRE(reread);
  CHECK(to_jsonl(*reread) == text);
  CHECK(reread->seed == story.history.seed);
  CHECK(reread->answers.back().pending);
  CHECK_FALSE(reread->answers.front().pending);
  CHECK(reread->connects[1].from == std::nullopt);
  CHECK(reread->disconnects[0].reason == "a \"reason\"\n");
  CHECK(reread->deliveries[0].digest == story.history.deliveries[0].digest);
}

TEST_CASE("history: a bad line is refused by its number", "[verify][history]") {
  const std::string good = R"({"kind":"finish","client":1,"at":5})";
  for (const char* bad : {"", "[]", "{}", "nonsense", R"({"kind":"unheard-of"})",
                          R"({"kind":"finish","client":"one","at":5})", R"({"kind":"finish"})",
                          R"({"kind":"fault","name":"x","phase":"middle","at":1})"}) {
    CAPTURE(bad);
    const auto read = parse_jsonl(good + "\n" + bad + "\n" + good + "\n");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::bad_history);
    CHECK(read.error().context.substr(0, 7) == "line 2:");
  }
  CHECK(parse_jsonl(good)->finishes.size() == 1);
}

TEST_CASE("recorder: later records have larger times", "[verify][history]") {
  Recorder recorder(7);
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    recorder.add(Finish{i, 0});
  }
  const History history = recorder.history();
  CHECK(history.seed == 7);
  REQUIRE(history.finishes.size() == 1'000);
  for (std::size_t i = 1; i < history.finishes.size(); ++i) {
    REQUIRE(history.finishes[i - 1].at < history.finishes[i].at);
  }
}

TEST_CASE("history: a digest is the start of SHA-256", "[verify][history]") {
  CHECK(digest_of("abc")[0] == 0xba);
  CHECK(digest_of("abc")[15] == 0x23);
  CHECK(digest_of("a") != digest_of("b"));
}
