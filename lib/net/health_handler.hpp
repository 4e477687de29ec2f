// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "consumers/group_registry.hpp"
#include "net/http.hpp"
#include "net/services.hpp"

namespace vibes::net {

/// GET /api/health: the truth about the log, the consumers and the sessions. 503 when the log takes
/// no more events in this process.
Response health(const Services& services);
/// GET /healthz: the process serves.
Response alive();
/// GET /readyz: the log takes events, be it as pending, or why not.
Response ready(const Services& services);
/// GET /api/auth/status, as the Rust project's web UI asks for it.
Response auth_status(const Services& services);
/// GET /api/tunnel/status: there is no tunnel.
Response tunnel_status();

/// One consumer group as /api/consumers and /api/health show it.
void append_group(std::string& out, const consumers::GroupStatus& group);

}  // namespace vibes::net
