// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "client/endpoint.hpp"

namespace vibes::ctl {

/// The directory in which a new session shall start, absolute: the one given, else ours where the
/// server may be on this machine, else none, which leaves it to the server.
Result<std::string> session_cwd(const std::string& given, const client::Target& target);

/// The session that we run in ($VIBES_SESSION_ID), the parent of those that we start; empty: none.
std::string own_session();

}  // namespace vibes::ctl
