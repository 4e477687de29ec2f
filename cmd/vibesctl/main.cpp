// SPDX-License-Identifier: MIT
// All of vibesctl. What is called by this name is front.cpp, which comes here for most verbs.
#include "client/https_exchange.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  using namespace vibes::ctl;
  static constexpr AddVerb kVerbs[] = {add_append, add_hook,      add_hooks,  add_import,
                                       add_tail,   add_consumers, add_log,    add_health,
                                       add_notify, add_sessions,  add_attach, add_run};
  vibes::client::enable_https();
  return run_program({argv, static_cast<std::size_t>(argc)}, kVerbs);
}
