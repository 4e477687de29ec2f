// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "client/endpoint.hpp"

namespace vibes::ctl {

/// The directory in which a new session shall start, absolute: the one given, else ours where the
/// server may be on this machine, else none, which leaves it to the server.
Result<std::string> session_cwd(const std::string& given, const client::Target& target);

}  // namespace vibes::ctl
