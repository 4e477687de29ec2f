// SPDX-License-Identifier: MIT
// What people see of a URL that is taken leads to the same place.
#include "eventlog/nats/options.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;
using namespace vibes::eventlog;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto options = nats::parse_nats_url(fuzz::text_of(data, size));
  if (options) {
    VIBES_ASSERT(!options->hosts.empty());
    const auto shown = nats::parse_nats_url(options->url());
    VIBES_ASSERT(shown && shown->url() == options->url() && shown->user.empty());
  }
  return 0;
}
