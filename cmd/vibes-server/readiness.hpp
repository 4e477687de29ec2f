// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace vibes::server {

/// Tells whoever waits that we serve: one line "listening on URL" on stderr, the URL and a newline
/// to `ready_fd` (which is then closed; -1: nobody asked), READY=1 to systemd.
void announce_ready(std::string_view url, int ready_fd);
void announce_stopping();

/// How often systemd wants to hear from us, if it does.
std::optional<std::chrono::milliseconds> watchdog_interval();
void feed_watchdog();

}  // namespace vibes::server
