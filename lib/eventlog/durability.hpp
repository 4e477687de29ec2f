// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::eventlog {

/// What an ack says was achieved, from weak to strong.
enum class Durability : std::uint8_t {
  memory,      // gone when the process ends
  os,          // survives the process, not the machine: written, not synced
  fsync,       // on this machine's disk
  replicated,  // on the disks of a majority of machines
};

std::string_view to_string(Durability durability);
std::optional<Durability> parse_durability(std::string_view text);

/// What the user asked the log to wait for before it acknowledges: `fsync`, `interval:MS` (written
/// at once, synced every MS milliseconds, acknowledged as os) or `os`.
struct DurabilityPolicy {
  enum class Kind : std::uint8_t { fsync, interval, os };
  Kind kind = Kind::fsync;
  std::chrono::milliseconds interval{0};

  friend bool operator==(const DurabilityPolicy&, const DurabilityPolicy&) = default;
};

std::string to_string(const DurabilityPolicy& policy);
Result<DurabilityPolicy> parse_durability_policy(std::string_view text);

}  // namespace vibes::eventlog
