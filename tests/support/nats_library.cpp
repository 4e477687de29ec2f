// SPDX-License-Identifier: MIT
// To be linked into test programs that use NatsStream. The threads of libnats are for the whole
// program; leak checkers want them gone before exit(), whose handlers are too late.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // Catch2 2 hides listeners otherwise
#include "eventlog/nats/nats_stream.hpp"
#include "support/catch.hpp"

namespace {

#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

class CloseLibrary : public Listener {
 public:
  using Listener::Listener;
  void testRunEnded(const Catch::TestRunStats&) override { vibes::eventlog::nats::close_library(); }
};

CATCH_REGISTER_LISTENER(CloseLibrary)

}  // namespace
