// SPDX-License-Identifier: MIT
#include "verify/program_run.hpp"

#include "support/catch.hpp"
#include "verify/errc.hpp"

using namespace vibes;
using namespace vibes::verify;

namespace {

Result<ProgramOutput> run_shell(const std::string& script, std::string_view input,
                                std::chrono::milliseconds within) {
  return run_program({.program = "/bin/sh",
                      .arguments = {"-c", script},
                      .environment = {"MARK=one two"},
                      .input = input},
                     client::within(within));
}

}  // namespace

TEST_CASE("program run: what a program says and how it ends is told", "[verify][program_run]") {
  constexpr std::chrono::seconds kSoon{20};
  const std::string big(300'000, 'x');
  const auto done = run_shell("cat; echo \"$MARK$HOME\" >&2; exit 3", big, kSoon);
  REQUIRE(done);
  CHECK(done->status == 3);
  CHECK(done->out == big);
  CHECK(done->err == "one two\n");
  CHECK(run_shell("kill -9 $$", "", kSoon)->status == 128 + 9);
}

TEST_CASE("program run: one that does not end is killed, one that is not there is an error",
          "[verify][program_run]") {
  const auto late = run_shell("exec sleep 1000", "", std::chrono::milliseconds(20));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::timeout);
  CHECK_FALSE(run_program({.program = "/nowhere", .arguments = {}, .environment = {}, .input = ""},
                          client::within(std::chrono::seconds(20))));
}
