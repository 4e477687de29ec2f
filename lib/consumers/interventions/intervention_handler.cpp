// SPDX-License-Identifier: MIT
#include "consumers/interventions/intervention_handler.hpp"

#include <memory>
#include <stdexcept>

namespace vibes::consumers {
namespace {

class InterventionHandler final : public Handler {
 public:
  explicit InterventionHandler(InterventionStore& store) : store_(store) {}

  Outcome handle(const event::EventView& event, std::uint64_t /*attempt*/) override {
    const Result<void> folded = store_.fold(event);
    return folded ? Outcome::ok() : Outcome::reject(folded.error().message());
  }

  Result<Offset> settle(Offset handled, Occasion /*occasion*/) override {
    VIBES_TRY(store_.save());
    return handled;
  }

 private:
  InterventionStore& store_;
};

}  // namespace

HandlerFactory gather_interventions(InterventionStore& store) {
  return [&store](Offset start) -> std::unique_ptr<Handler> {
    if (const Result<void> ready = store.restart(start); !ready) {
      throw std::runtime_error(ready.error().message());
    }
    return std::make_unique<InterventionHandler>(store);
  };
}

}  // namespace vibes::consumers
