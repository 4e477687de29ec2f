// SPDX-License-Identifier: MIT
#include "readiness.hpp"

#include <cstdint>
#include <iostream>
#include <string>

#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace vibes::server {

void announce_ready(std::string_view url, int ready_fd) {
  const std::string line = "listening on " + std::string(url) + "\n";
  std::cerr << line << std::flush;
  if (ready_fd >= 0) {
    const std::string text = std::string(url) + "\n";
    // Whoever asked may have gone; that is no reason not to serve.
    (void)!::write(ready_fd, text.data(), text.size());
    (void)::close(ready_fd);
  }
  (void)sd_notify(0, "READY=1");
}

void announce_stopping() { (void)sd_notify(0, "STOPPING=1"); }

std::optional<std::chrono::milliseconds> watchdog_interval() {
  std::uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) <= 0) {
    return std::nullopt;
  }
  // Twice as often as asked for, as sd_watchdog_enabled(3) advises.
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::microseconds(limit_us)) /
         2;
}

void feed_watchdog() { (void)sd_notify(0, "WATCHDOG=1"); }

}  // namespace vibes::server
