// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "consumers/assessment/model_backend.hpp"

namespace CLI {
class App;
}

namespace vibes::server {

/// What is said about the model that summarises sessions, as text.
struct BackendTexts {
  std::string backend = "auto";  // or off, or a command
  std::string timeout = "60s";
};

void add_backend_options(CLI::App& app, BackendTexts& texts);

/// The model to ask; nothing: none. `auto` is decided here: the agent whose sessions these are, if
/// it can be found. Errors: std::errc::invalid_argument, naming the option.
Result<std::optional<consumers::assessment::BackendOptions>> check_backend_options(
    const BackendTexts& texts);

/// The same texts as lines of config.toml.
std::vector<std::pair<std::string, std::string>> backend_toml(const BackendTexts& texts);

}  // namespace vibes::server
