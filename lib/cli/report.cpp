// SPDX-License-Identifier: MIT
#include "cli/report.hpp"

#include "cli/term.hpp"

namespace vibes::cli {

void Report::note(std::string_view text) {
  if (!is_quiet()) {
    line("", text);
  }
}

void Report::line(std::string_view kind, std::string_view text) {
  // One write per line, so that lines of several programs on one terminal do not mix.
  std::string whole = program_ + ": ";
  whole += kind;
  append_escaped(whole, text);
  whole += '\n';
  out_ << whole << std::flush;
}

}  // namespace vibes::cli
