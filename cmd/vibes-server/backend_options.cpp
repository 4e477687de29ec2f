// SPDX-License-Identifier: MIT
#include "backend_options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/parse.hpp"

namespace vibes::server {
namespace {

constexpr std::chrono::hours kTimeoutMax{1};
constexpr const char* kAgent = "claude";
constexpr const char* kAgentAsModel = "claude --print";

Unexpected bad(const char* option, const char* why) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::string(option) + ": " + why);
}

/// Whether sh would find it.
bool is_on_path(const char* program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    const auto file = std::filesystem::path(directory) / program;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

void add_backend_options(CLI::App& app, BackendTexts& texts) {
  app.add_option("--assess-backend", texts.backend,
                 "The model that summarises sessions: auto, off, or a command for sh -c, prompt on "
                 "stdin, JSON on stdout")
      ->type_name("auto|off|CMD")
      ->envname("VIBES_ASSESS_BACKEND");
  app.add_option("--assess-backend-timeout", texts.timeout,
                 "How long the model may take for one try: 60s")
      ->type_name("D")
      ->envname("VIBES_ASSESS_BACKEND_TIMEOUT");
}

Result<std::optional<consumers::assessment::BackendOptions>> check_backend_options(
    const BackendTexts& texts) {
  if (texts.backend.find_first_not_of(" \t") == std::string::npos) {
    return bad("--assess-backend", "auto, off or a command");
  }
  const auto timeout = cli::parse_duration(texts.timeout);
  if (!timeout || *timeout <= std::chrono::milliseconds::zero() || *timeout > kTimeoutMax) {
    return bad("--assess-backend-timeout", "a duration such as 60s, at most 1h");
  }
  consumers::assessment::BackendOptions options{.command = texts.backend, .within = *timeout};
  if (texts.backend == "auto") {
    options.command = is_on_path(kAgent) ? kAgentAsModel : "off";
  }
  return options.command == "off" ? std::nullopt : std::optional(std::move(options));
}

std::vector<std::pair<std::string, std::string>> backend_toml(const BackendTexts& texts) {
  return {{"assess-backend", texts.backend}, {"assess-backend-timeout", texts.timeout}};
}

}  // namespace vibes::server
