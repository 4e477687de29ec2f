// SPDX-License-Identifier: MIT
// What is called vibesctl. An agent waits for each append, so this program has only the verbs that
// must be quick and loads no library at all; for the others it becomes the program that has all
// verbs.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <string_view>

#include <unistd.h>

#include "cli/report.hpp"
#include "client/endpoint.hpp"
#include "client/look_up.hpp"
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

/// TLS comes with OpenSSL and the looking up of names with the system's modules for it, so both
/// with the whole program. What is no URL is told here.
bool needs_whole_program(const std::string& url) {
  using Transport = vibes::client::Endpoint::Transport;
  const auto endpoint = vibes::client::parse_endpoint(url);
  return endpoint && (endpoint->transport == Transport::tls ||
                      (endpoint->transport == Transport::tcp &&
                       vibes::client::numeric_address(endpoint->host, endpoint->port).empty()));
}

bool names_server_for_whole_program(std::span<char*> arguments) {
  constexpr std::string_view kOption = "--url";
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    const bool is_option = word == kOption && i + 1 < arguments.size();
    const bool has_value =
        word.starts_with(kOption) && word.substr(kOption.size()).starts_with('=');
    if ((is_option && needs_whole_program(arguments[i + 1])) ||
        (has_value && needs_whole_program(std::string(word.substr(kOption.size() + 1))))) {
      return true;
    }
  }
  const char* url = std::getenv("VIBES_URL");  // NOLINT(concurrency-mt-unsafe): one thread
  return url != nullptr && needs_whole_program(url);
}

/// Many events are for the program with the parser that is slow to load and quick at its work.
bool takes_lines(std::span<char*> arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const char* word) {
    return std::string_view(word) == "-l" || std::string_view(word) == "--lines";
  });
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
  if (quick == std::end(kQuickVerbs) || takes_lines(arguments) ||
      names_server_for_whole_program(arguments)) {
    return to_int(become_whole_program(argv));
  }
  return vibes::ctl::run_program(arguments, {&quick->add, 1});
}
