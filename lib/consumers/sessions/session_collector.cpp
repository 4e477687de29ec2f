// SPDX-License-Identifier: MIT
#include "consumers/sessions/session_collector.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "consumers/save_pace.hpp"

namespace vibes::consumers {
namespace {

// The runner may ask many times a second, and a save costs syncs.
constexpr std::chrono::milliseconds kSaveEvery{500};

class SessionCollector final : public Handler {
 public:
  SessionCollector(TranscriptStore& store, Offset start) : store_(store), saved_(start) {}

  Outcome handle(const event::EventView& event, std::uint64_t /*attempt*/) override {
    const Result<void> folded = store_.fold(event);
    if (folded) {
      return Outcome::ok();
    }
    const bool damaged = folded.error().code == std::errc::bad_message;
    return damaged ? Outcome::reject(folded.error().message())
                   : Outcome::retry(folded.error().message());
  }

  Result<Offset> settle(Offset handled, Occasion occasion) override {
    const auto began = std::chrono::steady_clock::now();
    if (occasion == Occasion::routine && !pace_.is_due(handled, began)) {
      return saved_;
    }
    VIBES_TRY(store_.save());
    pace_.saved(began, std::chrono::steady_clock::now());
    saved_ = handled;
    return saved_;
  }

 private:
  TranscriptStore& store_;
  Offset saved_;
  SavePace pace_{kSaveEvery};
};

}  // namespace

HandlerFactory collect_sessions(TranscriptStore& store, eventlog::EventLog& log) {
  return [&store, &log](Offset start) -> std::unique_ptr<Handler> {
    if (const Result<void> ready = store.restart(start, log.first()); !ready) {
      throw std::runtime_error(ready.error().message());
    }
    return std::make_unique<SessionCollector>(store, start);
  };
}

}  // namespace vibes::consumers
