// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "client/http_client.hpp"
#include "verb.hpp"

namespace vibes::ctl {

/// Sends one request to the server and gives `print` the body of a good answer; anything else is
/// reported.
ExitCode ask(Session& session, const client::HttpRequest& request,
             const std::function<void(const std::string& body)>& print);

}  // namespace vibes::ctl
