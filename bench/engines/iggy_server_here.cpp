// SPDX-License-Identifier: MIT
#include "engines/iggy_server_here.hpp"

#include "eventlog/iggy/iggy_server.hpp"

namespace vibes::bench {

std::optional<std::string> why_no_iggy(const std::filesystem::path& directory) {
  std::optional<std::string> why;
  if (const auto server = eventlog::iggy::IggyServer::make(directory); !server) {
    why = server.error().message();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return why;
}

}  // namespace vibes::bench
