// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <cstdlib>

namespace vibes::bench {

std::string parse_or_exit(CLI::App& app, int argc, char** argv) {
  std::string json;
  app.add_option("--json", json, "Write the figures there too")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return json;
}

}  // namespace vibes::bench
