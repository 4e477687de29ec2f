// SPDX-License-Identifier: MIT
#pragma once

namespace vibes::client {

/// Lets HttpClient speak https:// by libwebsockets, which checks the server's certificate against
/// the system's roots; each request has a connection of its own. Call it before threads start.
void enable_https();

}  // namespace vibes::client
