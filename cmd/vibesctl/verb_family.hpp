// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <utility>

#include <CLI/CLI.hpp>

#include "verb.hpp"

namespace vibes::ctl {

/// A verb that has verbs of its own, such as `consumers`.
class VerbFamily {
 public:
  using Run = std::function<ExitCode()>;

  /// One of them must be named.
  VerbFamily(CLI::App& app, Session& session, const char* name, const char* description)
      : session_(session), verb_(app.add_subcommand(name, description)) {
    verb_->require_subcommand(1);
    verb_->fallthrough();
  }
  /// Where none is named `alone` runs.
  VerbFamily(CLI::App& app, Session& session, const char* name, const char* description, Run alone)
      : VerbFamily(app, session, name, description) {
    verb_->require_subcommand(0, 1);
    verb_->final_callback([&session, verb = verb_, alone = std::move(alone)] {
      if (verb->get_subcommands().empty()) {
        session.chosen = alone;
      }
    });
  }

  /// Adds one, to be given its options.
  CLI::App* add(const char* name, const char* description, Run run) {
    CLI::App* sub = verb_->add_subcommand(name, description);
    sub->fallthrough();
    sub->final_callback([&session = session_, run = std::move(run)] { session.chosen = run; });
    return sub;
  }
  void footer(const char* text) { verb_->footer(text); }

 private:
  Session& session_;
  CLI::App* verb_;
};

}  // namespace vibes::ctl
