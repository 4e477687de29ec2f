// SPDX-License-Identifier: MIT
#pragma once

namespace vibes::client {

/// Lets HttpClient speak https:// by libwebsockets, which checks the server's certificate against
/// the system's roots; each request has a connection of its own. Of an answer's headers only
/// Retry-After is kept: the library hands them out one by one. Call it before threads start.
void enable_https();

}  // namespace vibes::client
