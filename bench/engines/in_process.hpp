// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "engines/table.hpp"

namespace vibes::bench {

struct EngineCase {
  std::string name;
  std::string url;
  std::string durability = "fsync";
};

/// One run over a log that is made new; what the engine keeps on this machine is in `directory`.
void measure_in_process(Table& table, const EngineCase& engine,
                        const std::filesystem::path& directory, double seconds);

}  // namespace vibes::bench
