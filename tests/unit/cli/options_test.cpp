// SPDX-License-Identifier: MIT
#include "cli/options.hpp"

#include <sstream>

#include <CLI/CLI.hpp>

#include "support/catch.hpp"

using namespace vibes::cli;

namespace {

struct Parsed {
  std::optional<ExitCode> code;
  std::string said;
  CommonOptions common;
};

Parsed parse(std::initializer_list<const char*> arguments) {
  Parsed parsed;
  std::ostringstream err;
  Report report("prog", err);
  CLI::App app("About.", "prog");
  app.require_subcommand(1);
  app.fallthrough();
  add_common_options(app, parsed.common);
  CLI::App* append = app.add_subcommand("append", "Append");
  std::string event;
  append->add_option("EVENT", event);
  bool lines = false;
  append->add_flag("--lines", lines, "Lines");
  std::vector<const char*> words{"prog"};
  for (const char* argument : arguments) {
    words.push_back(argument);
  }
  parsed.code = parse_command_line(app, static_cast<int>(words.size()), words.data(), report);
  parsed.said = err.str();
  return parsed;
}

}  // namespace

TEST_CASE("options: the common ones may stand before and behind the verb", "[cli][options]") {
  CHECK(parse({"--url", "unix:/x", "append"}).common.url == "unix:/x");
  CHECK(parse({"append", "--url", "unix:/x", "-q"}).common.url == "unix:/x");
  CHECK(parse({"append", "-q"}).common.quiet);
  CHECK(parse({"append", "--color", "never"}).common.color == Color::never);
  CHECK_FALSE(parse({"append"}).code);
}

TEST_CASE("options: an unknown word gets a suggestion and status 2", "[cli][options]") {
  const Parsed verb = parse({"apend"});
  CHECK(verb.code == ExitCode::usage);
  CHECK(verb.said == "prog: error: unknown verb 'apend'\nprog: hint: did you mean 'append'?\n");

  const Parsed option = parse({"append", "--line"});
  CHECK(option.said ==
        "prog: error: unknown option '--line'\nprog: hint: did you mean '--lines'?\n");

  const Parsed far = parse({"append", "--zzzzzz"});
  CHECK(far.said ==
        "prog: error: unknown option '--zzzzzz'\nprog: hint: see 'prog append --help'\n");
}

TEST_CASE("options: a missing verb and a bad value are usage errors", "[cli][options]") {
  CHECK(parse({}).said.starts_with("prog: error: a verb is missing\n"));
  CHECK(parse({"append", "--color", "maybe"}).code == ExitCode::usage);
  CHECK(parse({"append", "--url"}).code == ExitCode::usage);
}

TEST_CASE("report: control characters in a message cannot drive the terminal", "[cli][report]") {
  std::ostringstream err;
  Report report("prog", err);
  report.error("bad \x1b[2J file\nname");
  CHECK(err.str() == "prog: error: bad \\x1b[2J file\\nname\n");
}

TEST_CASE("report: quiet silences notes only", "[cli][report]") {
  std::ostringstream err;
  Report report("prog", err);
  report.set_verbosity(Report::Verbosity::quiet);
  report.note("news");
  report.warning("w");
  report.error("e");
  CHECK(err.str() == "prog: warning: w\nprog: error: e\n");
}
