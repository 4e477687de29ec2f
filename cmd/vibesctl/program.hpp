// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "verb.hpp"

namespace vibes::ctl {

using AddVerb = void (*)(CLI::App&, Session&);

/// vibesctl with these verbs, from its command line to its exit status.
int run_program(std::span<char*> arguments, std::span<const AddVerb> verbs);

}  // namespace vibes::ctl
