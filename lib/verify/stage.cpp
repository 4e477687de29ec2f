// SPDX-License-Identifier: MIT
#include "verify/stage.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "base/uuid.hpp"
#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

constexpr std::chrono::seconds kStartWithin{30};
constexpr std::chrono::seconds kStopWithin{20};

std::chrono::milliseconds since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               began);
}

}  // namespace

Stage::Stage(const RunOptions& options, std::string scenario, std::vector<std::string> checks)
    : options_(options),
      scenario_(std::move(scenario)),
      declared_(std::move(checks)),
      tag_("verify-" + to_string(random_uuid()).substr(0, 13)),
      random_(options.seed),
      began_(std::chrono::steady_clock::now()) {}

CheckResult Stage::run(const std::string& name, const Body& body) {
  const auto began = std::chrono::steady_clock::now();
  const CheckOutcome outcome = body(client::within(options_.check_timeout));
  CheckResult result{.name = name,
                     .status = Status::passed,
                     .reason = "",
                     .expected = "",
                     .seen = "",
                     .took = since(began)};
  if (const auto& failure = outcome.failure()) {
    result.status = Status::failed;
    result.reason = failure->reason;
    result.expected = failure->expected;
    result.seen = failure->seen;
  } else if (const auto& why = outcome.skipped()) {
    result.status = Status::skipped;
    result.reason = *why;
  }
  return result;
}

bool Stage::step(const std::string& name, const Body& body) {
  if (!stopped_by_.empty()) {
    return false;
  }
  VIBES_ASSERT(std::find(declared_.begin(), declared_.end(), name) != declared_.end());
  results_.push_back(run(name, body));
  if (results_.back().status == Status::failed) {
    stopped_by_ = name;
  }
  return stopped_by_.empty();
}

void Stage::claim(const std::string& name, const Body& body) {
  if (stopped_by_.empty()) {
    VIBES_ASSERT(std::find(declared_.begin(), declared_.end(), name) != declared_.end());
    results_.push_back(run(name, body));
  }
}

Result<std::filesystem::path> Stage::directory() {
  if (!directory_) {
    VIBES_TRY_ASSIGN(made, PrivateDirectory::make());
    directory_.emplace(std::move(made));
  }
  return directory_->path();
}

Result<void> Stage::open(std::vector<std::string> server_arguments) {
  if (options_.running) {
    return {};
  }
  VIBES_TRY_ASSIGN(root, directory());
  ServerOptions server{.program = options_.program,
                       .root = root,
                       .log = options_.log,
                       .arguments = std::move(server_arguments)};
  VIBES_TRY_ASSIGN(started, ServerProcess::start(std::move(server), client::within(kStartWithin)));
  server_.emplace(std::move(started));
  return {};
}

const client::Target& Stage::target() const {
  VIBES_ASSERT(server_ || options_.running);
  return server_ ? server_->target() : *options_.running;
}

void Stage::fact(std::string name, std::string value) {
  facts_.emplace_back(std::move(name), std::move(value));
}

void Stage::fill_skipped() {
  for (const std::string& name : declared_) {
    const auto reported = std::find_if(results_.begin(), results_.end(),
                                       [&](const CheckResult& r) { return r.name == name; });
    if (reported == results_.end()) {
      results_.push_back({.name = name,
                          .status = Status::skipped,
                          .reason = fmt::format("'{}' failed before it", stopped_by_),
                          .expected = "",
                          .seen = "",
                          .took = {}});
    }
  }
}

/// What a person needs to find out why: the server's last words, and where the rest is.
std::string Stage::diagnostics() {
  std::string text = fmt::format("seed {}\n", options_.seed);
  if (server_) {
    const std::string said = server_->stderr_tail();
    text += said.empty() ? "the server wrote nothing to stderr\n" : "the server's stderr:\n" + said;
  }
  if (directory_ && options_.keep != RunOptions::Keep::no) {
    if (history_) {
      std::ofstream(directory_->path() / "history.jsonl") << to_jsonl(*history_);
    }
    text += fmt::format("\nkept: {}\n", directory_->path().string());
  } else if (directory_) {
    text += "\nwith --keep its log, stderr and history would have been kept\n";
  }
  return text;
}

ScenarioResult Stage::finish(const std::string& summary) {
  fill_skipped();
  ScenarioResult result{.name = scenario_,
                        .summary = summary,
                        .checks = std::move(results_),
                        .facts = std::move(facts_),
                        .diagnostics = "",
                        .took = {}};
  if (server_ && server_->is_running()) {
    (void)server_->stop(client::within(kStopWithin));
  }
  const bool failed = result.status() == Status::failed;
  if (failed) {
    result.diagnostics = diagnostics();
  }
  if (directory_ && (options_.keep == RunOptions::Keep::all ||
                     (options_.keep == RunOptions::Keep::failed && failed))) {
    directory_->keep();
  }
  result.took = since(began_);
  return result;
}

}  // namespace vibes::verify
