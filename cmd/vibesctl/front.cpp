// SPDX-License-Identifier: MIT
// What is called vibesctl. An agent waits for each append, so this program has only the verbs that
// must be quick and links nothing that is slow to start; for the others it becomes the program that
// has all verbs.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <string_view>

#include <unistd.h>

#include "cli/report.hpp"
#include "program.hpp"

namespace {

using vibes::ctl::AddVerb;
using vibes::ctl::ExitCode;

struct QuickVerb {
  std::string_view name;
  AddVerb add;
};
constexpr QuickVerb kQuickVerbs[] = {{"append", vibes::ctl::add_append},
                                     {"hook", vibes::ctl::add_hook}};

bool takes_value(std::string_view option) {
  return option == "--url" || option == "--token-file" || option == "--color";
}

/// The first word that is no option; nothing where only the whole program knows.
std::optional<std::string_view> verb_of(std::span<char*> arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (takes_value(word)) {
      ++i;
    } else if (!word.starts_with('-')) {
      return word;
    } else if (word != "-q" && word != "--quiet" && word.find('=') == std::string_view::npos) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// TLS comes with OpenSSL, so with the whole program.
bool names_tls(std::string_view word) {
  constexpr std::string_view kOption = "--url=";
  if (word.starts_with(kOption)) {
    word.remove_prefix(kOption.size());
  }
  return word.starts_with("https:") || word.starts_with("wss:");
}

bool wants_tls(std::span<char*> arguments) {
  const char* url = std::getenv("VIBES_URL");  // NOLINT(concurrency-mt-unsafe): one thread
  return (url != nullptr && names_tls(url)) ||
         std::any_of(arguments.begin(), arguments.end(), names_tls);
}

/// Only returns if it fails.
ExitCode become_whole_program(char** argv) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto whole = (self.parent_path() / VIBES_WHOLE_PROGRAM).lexically_normal();
  (void)::execv(whole.c_str(), argv);
  const char* why = std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): one thread
  vibes::cli::Report report("vibesctl", std::cerr);
  report.error("cannot run " + whole.string() + ": " + why);
  report.hint("vibesctl is installed in two parts, which belong together");
  return ExitCode::failure;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto verb = verb_of(arguments);
  const auto* quick = std::find_if(std::begin(kQuickVerbs), std::end(kQuickVerbs),
                                   [&](const QuickVerb& known) { return known.name == verb; });
  if (quick == std::end(kQuickVerbs) || wants_tls(arguments)) {
    return to_int(become_whole_program(argv));
  }
  return vibes::ctl::run_program(arguments, {&quick->add, 1});
}
