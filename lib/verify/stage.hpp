// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"
#include "verify/check_outcome.hpp"
#include "verify/history.hpp"
#include "verify/private_directory.hpp"
#include "verify/report.hpp"
#include "verify/server_process.hpp"

namespace vibes::verify {

/// Reads a file log's directory without a server: what it holds, in order.
using OfflineReader = std::function<Result<std::vector<Logged>>(const std::filesystem::path&)>;

/// How scenarios are run.
struct RunOptions {
  std::optional<client::Target>
      running;  // --url: a server that is not ours; else each scenario starts its own
  std::filesystem::path program;  // the server to start
  std::string log;                // its engine's URL; empty: a file log in a private directory
  std::uint64_t seed = 0;
  std::uint64_t events = 100'000;  // how many the big scenarios append
  std::chrono::seconds check_timeout{60};
  enum class Keep : std::uint8_t { no, failed, all };
  Keep keep = Keep::no;        // directories and histories, for a person to look into
  OfflineReader read_offline;  // nothing: what needs it is skipped
};

/// Where one scenario plays: a server, a seeded source of randomness, and the list of what has been
/// shown so far. One thread runs the checks; servers must be started on that thread, because they
/// die with it.
class Stage {
 public:
  /// `checks` are the names the scenario has declared, in order. Those it never reaches are
  /// reported as skipped.
  Stage(const RunOptions& options, std::string scenario, std::vector<std::string> checks);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  using Body = std::function<CheckOutcome(client::Deadline)>;
  /// Runs one declared check with a deadline. A step that fails ends the scenario: what follows
  /// builds on it and is skipped. True if the scenario goes on.
  bool step(const std::string& name, const Body& body);
  /// A check on which nothing else depends: the scenario goes on whatever comes out.
  void claim(const std::string& name, const Body& body);

  /// Starts a server (or, with --url, looks whether that one answers). Errors: as
  /// ServerProcess::start().
  Result<void> open(std::vector<std::string> server_arguments = {});
  [[nodiscard]] const client::Target& target() const;
  /// Nothing with --url.
  [[nodiscard]] ServerProcess* server() { return server_ ? &*server_ : nullptr; }
  /// The server that open() started. For scenarios that need one of their own.
  [[nodiscard]] ServerProcess& own_server() {
    VIBES_ASSERT(server_.has_value());
    return *server_;
  }
  [[nodiscard]] const RunOptions& options() const { return options_; }
  [[nodiscard]] std::mt19937_64& random() { return random_; }
  /// Differs in each run, so that sessions and groups on a shared server are ours alone.
  [[nodiscard]] const std::string& tag() const { return tag_; }
  /// For the scenario's own use; removed at its end unless kept.
  [[nodiscard]] Result<std::filesystem::path> directory();

  /// A figure for the report.
  void fact(std::string name, std::string value);
  /// Kept beside the server's directories if something failed and --keep is given.
  void set_history(History history) { history_ = std::move(history); }

  /// Takes everything together; the server is stopped.
  ScenarioResult finish(const std::string& summary);

 private:
  CheckResult run(const std::string& name, const Body& body);
  void fill_skipped();
  std::string diagnostics();

  const RunOptions& options_;
  std::string scenario_;
  std::vector<std::string> declared_;
  std::string tag_;
  std::mt19937_64 random_;
  std::chrono::steady_clock::time_point began_;
  std::optional<PrivateDirectory> directory_;  // before server_: it outlives it
  std::optional<ServerProcess> server_;
  std::optional<History> history_;
  std::vector<CheckResult> results_;
  std::vector<std::pair<std::string, std::string>> facts_;
  std::string stopped_by_;  // the step that failed
};

}  // namespace vibes::verify
