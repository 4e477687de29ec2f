// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "engines/in_process.hpp"
#include "engines/table.hpp"

namespace vibes::bench {

/// One run through a vibes-server with this log, with one client at the firehose. The server makes
/// directories of its own in the current one.
void measure_through_server(Table& table, const EngineCase& engine, const std::string& program,
                            double seconds);

}  // namespace vibes::bench
