// SPDX-License-Identifier: MIT
#include "consumers/dead_letters.hpp"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "io/file_system.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vibes;
using namespace vibes::consumers;

namespace {

std::unique_ptr<DeadLetters> open_letters(const std::string& directory) {
  auto opened = DeadLetters::open(directory, io::posix_file_system());
  if (!opened) {
    FAIL(opened.error().message());
  }
  return *std::move(opened);
}

DeadLetter letter(std::uint64_t offset, std::string_view reason = "r") {
  return {Offset(offset), std::nullopt, reason, 1, Timestamp{0}};
}

std::string line(std::uint64_t offset) {
  return R"({"offset":)" + std::to_string(offset) +
         R"(,"event_id":null,"reason":"r","attempts":1,"time":"1970-01-01T00:00:00.000000Z"})"
         "\n";
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("DeadLetters: letters are lines of their group's file, and are there after a restart",
          "[consumers]") {
  const test::TempDir dir;
  const auto path = dir.path() / "letters";
  for (std::uint64_t round = 0; round < 3; ++round) {
    const auto letters = open_letters(path.string());
    CHECK(letters->count("g") == round * 2);
    REQUIRE(letters->add("g", letter(round * 2)));
    REQUIRE(letters->add("g", letter(round * 2 + 1)));
    REQUIRE(letters->add("h", letter(round)));
    CHECK(letters->count("g") == round * 2 + 2);
  }
  std::string all;
  for (std::uint64_t i = 0; i < 6; ++i) {
    all += line(i);
  }
  CHECK(contents(path / "g.jsonl") == all);
  CHECK(*open_letters(path.string())->newest("g", 1'000'000) == all);
  CHECK(open_letters(path.string())->count("h") == 3);
}

TEST_CASE("DeadLetters: a line cut by a crash is cut off, whole lines stay", "[consumers]") {
  const test::TempDir dir;
  REQUIRE(open_letters(dir.path().string())->add("g", letter(0)));
  REQUIRE(open_letters(dir.path().string())->add("g", letter(1)));
  const std::string all = line(0) + line(1);
  for (std::size_t size = 0; size < all.size(); size += 3) {
    std::filesystem::remove(dir.path() / "g.jsonl");
    std::ofstream(dir.path() / "g.jsonl", std::ios::binary) << all.substr(0, size);
    const auto letters = open_letters(dir.path().string());
    REQUIRE(letters->count("g") == (size >= line(0).size() ? 1 : 0));
    REQUIRE(letters->add("g", letter(1)));
    REQUIRE(contents(dir.path() / "g.jsonl") ==
            (size >= line(0).size() ? line(0) + line(1) : line(1)));
  }
}

TEST_CASE("DeadLetters: a reason is cut at 4 KiB, not inside a character", "[consumers]") {
  const auto letters = open_letters("");
  const std::string reason = "x" + [] {
    std::string text;
    while (text.size() < 2 * limits::kDeadLetterReasonBytesMax) {
      text += "\xe2\x82\xac";
    }
    return text;
  }();
  REQUIRE(letters->add("g", letter(0, reason)));
  const auto kept =
      nlohmann::json::parse(*letters->newest("g", 1'000'000))["reason"].get<std::string>();
  CHECK(kept.size() <= limits::kDeadLetterReasonBytesMax);
  CHECK(kept.size() > limits::kDeadLetterReasonBytesMax - 3);
  CHECK(reason.starts_with(kept));
}

TEST_CASE("DeadLetters: the newest whole lines are given, as many as fit", "[consumers]") {
  const test::TempDir dir;
  for (const std::string& where : {std::string(), dir.path().string()}) {
    const auto letters = open_letters(where);
    CHECK(letters->newest("g", 1'000)->empty());
    for (std::uint64_t i = 0; i < 5; ++i) {
      REQUIRE(letters->add("g", letter(i)));
    }
    const std::size_t one = line(0).size();
    CHECK(*letters->newest("g", 2 * one) == line(3) + line(4));
    CHECK(*letters->newest("g", 2 * one + 1) == line(3) + line(4));
    CHECK(*letters->newest("g", 2 * one - 1) == line(4));
    CHECK(letters->newest("g", one - 1)->empty());
    CHECK(*letters->newest("g", 5 * one) == line(0) + line(1) + line(2) + line(3) + line(4));
  }
}

TEST_CASE("DeadLetters: in memory the newest stay and all are counted", "[consumers]") {
  const auto letters = open_letters("");
  const std::string reason(limits::kDeadLetterReasonBytesMax, 'x');
  constexpr std::uint64_t kMany = 400;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    REQUIRE(letters->add("g", letter(i, reason)));
  }
  CHECK(letters->count("g") == kMany);
  const std::string kept = *letters->newest("g", ~std::size_t{0});
  CHECK(kept.size() <= limits::kDeadLetterPageBytes);
  CHECK(kept.find(R"({"offset":399,)") != std::string::npos);
  CHECK(kept.starts_with(R"({"offset":)"));
}

TEST_CASE("DeadLetters: removing a group removes its file", "[consumers]") {
  const test::TempDir dir;
  const auto letters = open_letters(dir.path().string());
  REQUIRE(letters->add("g", letter(0)));
  REQUIRE(letters->remove("g"));
  REQUIRE(letters->remove("never-was"));
  CHECK(letters->count("g") == 0);
  CHECK_FALSE(std::filesystem::exists(dir.path() / "g.jsonl"));
  REQUIRE(letters->add("g", letter(9)));
  CHECK(contents(dir.path() / "g.jsonl") == line(9));
}

TEST_CASE("DeadLetters: files that are not ours are left alone", "[consumers]") {
  const test::TempDir dir;
  for (const char* name : {"README", "UPPER.jsonl", ".jsonl", "g.json"}) {
    std::ofstream(dir.path() / name) << "no newline";
  }
  REQUIRE(open_letters(dir.path().string()));
  for (const char* name : {"README", "UPPER.jsonl", ".jsonl", "g.json"}) {
    CHECK(contents(dir.path() / name) == "no newline");
  }
}

TEST_CASE("DeadLetters: an event has one letter, however often it is given up", "[consumers]") {
  const test::TempDir dir;
  for (int start = 0; start < 2; ++start) {
    const auto letters = open_letters(dir.path().string());
    REQUIRE(letters->add("g", letter(3)));
    REQUIRE(letters->add("g", letter(3, "again")));
    CHECK(letters->count("g") == 1);
  }
  CHECK(contents(dir.path() / "g.jsonl") == line(3));
  const auto in_memory = open_letters("");
  REQUIRE(in_memory->add("g", letter(3)));
  REQUIRE(in_memory->add("g", letter(3)));
  CHECK(*in_memory->newest("g", 1'000) == line(3));
}

TEST_CASE("DeadLetters: a file at its limit loses its older half", "[consumers]") {
  const test::TempDir dir;
  const std::string reason(limits::kDeadLetterReasonBytesMax, 'x');
  const auto path = dir.path() / "g.jsonl";
  auto letters = open_letters(dir.path().string());
  std::uint64_t next = 0;
  std::uintmax_t before = 0;
  do {
    before = next == 0 ? 0 : std::filesystem::file_size(path);
    REQUIRE(letters->add("g", letter(next++, reason)));
  } while (std::filesystem::file_size(path) > before);
  CHECK(before <= limits::kDeadLetterFileBytesMax);
  CHECK(before > limits::kDeadLetterFileBytesMax - 2 * reason.size());
  CHECK(letters->count("g") == next);
  letters = open_letters(dir.path().string());
  CHECK(letters->count("g") > next / 2 - 2);
  CHECK(letters->count("g") < next / 2 + 3);
  const auto newest = nlohmann::json::parse(*letters->newest("g", 2 * reason.size()));
  CHECK(newest["offset"] == next - 1);
}
