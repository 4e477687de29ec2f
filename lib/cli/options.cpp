// SPDX-License-Identifier: MIT
#include "cli/options.hpp"

#include <algorithm>
#include <iostream>
#include <numeric>

#include <CLI/CLI.hpp>

namespace vibes::cli {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

/// The app that was being parsed: the chosen subcommand, however deep.
const CLI::App& chosen(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : chosen(*subcommands.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(sub->get_name());
  }
  for (const CLI::App* from = &app; from != nullptr; from = from->get_parent()) {
    for (const CLI::Option* option : from->get_options()) {
      for (const auto& name : option->get_lnames()) {
        words.push_back("--" + name);
      }
    }
  }
  return words;
}

/// CLI11 reports the unknown word only inside its sentence; what is left over tells it exactly.
std::optional<std::string> unknown_word(const CLI::App& app) {
  for (const std::string& word : app.remaining(true)) {
    if (word != "--") {
      return word.substr(0, word.find('='));
    }
  }
  return std::nullopt;
}

void report_mistake(const CLI::App& app, const CLI::ParseError& error, Report& report) {
  const CLI::App& verb = chosen(app);
  const auto word = unknown_word(app);
  const bool lacks_something = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const bool lacks_verb = lacks_something && verb.get_require_subcommand_min() > 0;
  const bool is_option = word && word->starts_with('-');
  if (word && (is_option || lacks_verb || !lacks_something)) {
    report.error((is_option    ? "unknown option '"
                  : lacks_verb ? "unknown verb '"
                               : "unexpected word '") +
                 *word + "'");
    if (const auto meant = nearest(*word, words_of(verb))) {
      report.hint("did you mean '" + *meant + "'?");
      return;
    }
  } else if (lacks_verb) {
    report.error("a verb is missing");
  } else {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    report.error(text);
  }
  report.hint("see '" + full_name(verb) + " --help'");
}

}  // namespace

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--url", options.url,
                 "Server: http(s)://HOST:PORT, ws(s)://HOST:PORT or unix:PATH [$VIBES_URL; the "
                 "unix socket, else http://127.0.0.1:7432]")
      ->type_name("URL");
  app.add_option("--token-file", options.token_file,
                 "File with the access token [$VIBES_TOKEN_FILE; the server's own]")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--color",
         [&options](const std::string& when) {
           options.color = when == "always"  ? Color::always
                           : when == "never" ? Color::never
                                             : Color::automatic;
         },
         "When to colour: auto, always or never [auto; NO_COLOR is honoured]")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  app.add_flag("-q,--quiet", options.quiet, "Say only errors and warnings on stderr");
}

std::optional<ExitCode> parse_command_line(CLI::App& app, int argc, const char* const* argv,
                                           Report& report) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success& success) {
    // --help and --version: CLI11 knows which, and prints it.
    (void)app.exit(success, std::cout, std::cerr);
    return ExitCode::ok;
  } catch (const CLI::ParseError& error) {
    report_mistake(app, error, report);
    return ExitCode::usage;
  }
}

std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates) {
  const std::size_t tolerated = word.size() < 4 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  std::optional<std::string> best;
  std::size_t best_distance = tolerated + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace vibes::cli
