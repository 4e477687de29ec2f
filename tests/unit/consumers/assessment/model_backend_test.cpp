// SPDX-License-Identifier: MIT
#include "consumers/assessment/model_backend.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sys/eventfd.h>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace vibes::consumers::assessment {
namespace {

struct Model {
  std::string ask(const std::string& command, const std::string& prompt = "how was it?") {
    const ModelBackend backend({.command = "echo >> " + tries_file() + "; " + command,
                                .within = within,
                                .retry_first = std::chrono::milliseconds(1)});
    const auto answer = backend.ask(prompt, -1);
    REQUIRE(answer.has_value());
    return *answer ? (*answer)->summary : "refused: " + answer->error().context;
  }
  [[nodiscard]] std::string tries_file() const { return (dir.path() / "tries").string(); }
  [[nodiscard]] long tries() const {
    std::ifstream file(tries_file());
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  }

  test::TempDir dir;
  std::chrono::milliseconds within{60'000};
};

TEST_CASE("ModelBackend: the prompt goes in, the answer comes out", "[assessment][model]") {
  Model model;
  CHECK(model.ask(R"(read -r line; echo "{\"summary\":\"asked: $line\"}")") ==
        "asked: how was it?");
  CHECK(model.tries() == 1);
}

TEST_CASE("ModelBackend: a command that does not read its prompt may answer",
          "[assessment][model]") {
  Model model;
  const std::string prompt(limits::kBackendPromptBytesMax * 4, 'x');
  CHECK(model.ask(R"(exec <&-; echo '```json'; echo '{"summary":"s"}'; echo '```')", prompt) ==
        "s");
}

TEST_CASE("ModelBackend: the model is told not to record itself", "[assessment][model]") {
  Model model;
  CHECK(model.ask(R"(echo "{\"summary\":\"$VIBES_HOOKS\"}")") == "off");
}

TEST_CASE("ModelBackend: what goes wrong is tried three times and told", "[assessment][model]") {
  Model model;
  const auto [command, told] = GENERATE(table<std::string, std::string>({
      {"echo 'not logged in' >&2; echo more >&2; exit 3", "refused: exit status 3: not logged in"},
      {"exit 1", "refused: exit status 1"},
      {"kill -9 $$", "refused: killed by signal 9"},
      {"echo garbage", "refused: no JSON object"},
      {"echo '{\"summary\":[]}'", "refused: no summary"},
      {"yes", "refused: printed too much and was killed"},
      {"/nowhere/claude 2>/dev/null", "refused: exit status 127"},
  }));
  CHECK(model.ask(command) == told);
  CHECK(model.tries() == 3);
}

TEST_CASE("ModelBackend: what hangs is killed and tried three times", "[assessment][model]") {
  Model model;
  model.within = std::chrono::milliseconds(100);
  CHECK(model.ask("sleep 1000 | sleep 1000") == "refused: took too long and was killed");
  CHECK(model.tries() == 3);
}

TEST_CASE("ModelBackend: the third try may succeed", "[assessment][model]") {
  Model model;
  CHECK(model.ask("[ \"$(wc -l < " + model.tries_file() +
                  ")\" = 3 ] && echo '{\"summary\":\"s\"}'") == "s");
}

TEST_CASE("ModelBackend: an answer is not waited for once it is to stop", "[assessment][model]") {
  const UniqueFd stop(::eventfd(1, EFD_CLOEXEC));
  const ModelBackend backend({.command = "sleep 1000"});
  CHECK(!backend.ask("", stop.get()));
}

}  // namespace
}  // namespace vibes::consumers::assessment
