// SPDX-License-Identifier: MIT
#include <cstdlib>

#include "contract/harness.hpp"
#include "unit/eventlog/iggy/live_server.hpp"

namespace vibes::test {

std::string iggy_url(const std::string& stream) {
  static const std::unique_ptr<LiveIggy> server =
      LiveIggy::start(LiveIggy::Saving::each_message, LiveIggy::Requests::large);
  if (server == nullptr) {
    std::exit(EXIT_SUCCESS);  // NOLINT(concurrency-mt-unsafe)
  }
  return server->log_url(stream);
}

}  // namespace vibes::test
