// SPDX-License-Identifier: MIT
#include "sim/sim_stream.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::test {

using eventlog::Errc;
using eventlog::remote::RemoteBatch;
using eventlog::remote::RemoteGroups;
using eventlog::remote::RemoteStream;
using eventlog::remote::StreamFacts;

/// One process's view.
class SimStream final : public RemoteStream, private RemoteGroups {
 public:
  explicit SimStream(SimEngine& engine) : engine_(engine) {}

  Result<void> open(std::chrono::milliseconds /*within*/) override {
    const MutexLock lock(engine_.mutex_);
    return check_reachable();
  }
  Result<StreamFacts> facts() override {
    const MutexLock lock(engine_.mutex_);
    VIBES_TRY(check_reachable());
    return StreamFacts{engine_.log_id_,          engine_.first_,
                       engine_.messages_.size(), eventlog::Durability::replicated,
                       8 * limits::kMiB,         0};
  }
  Result<void> publish(const RemoteBatch& batch, std::uint64_t last_sequence,
                       Published done) override {
    const MutexLock lock(engine_.mutex_);
    VIBES_TRY(check_reachable());
    engine_.offers_.push_back({this, batch, last_sequence, std::move(done)});
    engine_.changed_.notify_all();
    return {};
  }
  void ask_for_turn() override {
    const MutexLock lock(engine_.mutex_);
    SimEngine::RemoteMessage message;
    message.sequence = engine_.messages_.size() + 1;
    message.asks_for_turn = true;
    engine_.messages_.push_back(std::move(message));
    engine_.asked_by_.emplace(engine_.messages_.size(), this);
    engine_.changed_.notify_all();
  }
  Result<std::vector<SimEngine::RemoteMessage>> follow(std::uint64_t sequence,
                                                       std::chrono::milliseconds wait,
                                                       std::stop_token stop) override {
    MutexLock lock(engine_.mutex_);
    VIBES_TRY(check_reachable());
    engine_.changed_.wait_for(lock, stop, wait, [&] {
      return engine_.messages_.size() > sequence || !engine_.reachable_;
    });
    VIBES_TRY(check_reachable());
    std::vector<SimEngine::RemoteMessage> messages;
    for (std::uint64_t at = std::max(sequence + 1, engine_.first_);
         at <= engine_.messages_.size() && messages.size() < 7; ++at) {
      messages.push_back(engine_.messages_[at - 1]);
      const auto asked = engine_.asked_by_.find(at);
      messages.back().asks_for_turn = asked != engine_.asked_by_.end() && asked->second != this;
    }
    return messages;
  }
  [[nodiscard]] bool is_connected() const override {
    const MutexLock lock(engine_.mutex_);
    return engine_.reachable_;
  }
  void on_connection_changed(std::function<void()> listener) override {
    const MutexLock lock(engine_.mutex_);
    engine_.listeners_.insert_or_assign(this, std::move(listener));
  }
  [[nodiscard]] RemoteGroups& groups() override { return *this; }
  [[nodiscard]] std::string url() const override { return "sim:"; }
  void close() override {
    std::deque<SimEngine::Offer> rest;
    {
      MutexLock lock(engine_.mutex_);
      engine_.listeners_.erase(this);
      std::ranges::copy_if(engine_.offers_, std::back_inserter(rest),
                           [this](const auto& offer) { return offer.by == this; });
      std::erase_if(engine_.offers_, [this](const auto& offer) { return offer.by == this; });
      while (engine_.answering_ == this) {
        engine_.changed_.wait(lock);
      }
    }
    for (const SimEngine::Offer& offer : rest) {
      offer.done(fail(Errc::indeterminate, "sim"));
    }
  }

 private:
  Result<void> check_reachable() const VIBES_REQUIRES(engine_.mutex_) {
    return engine_.reachable_ ? Result<void>() : fail(Errc::unreachable, "sim");
  }
  Result<Offsets> load() override {
    const MutexLock lock(engine_.mutex_);
    return engine_.groups_;
  }
  Result<void> store(std::string_view group, Offset next) override {
    const MutexLock lock(engine_.mutex_);
    engine_.groups_.insert_or_assign(std::string(group), next);
    return {};
  }
  Result<void> remove(std::string_view group) override {
    const MutexLock lock(engine_.mutex_);
    engine_.groups_.erase(engine_.groups_.find(group));
    return {};
  }

  Result<std::optional<std::string>> hold(std::string_view group, std::string_view owner) override {
    const MutexLock lock(engine_.mutex_);
    VIBES_TRY(check_reachable());
    const auto [held, is_new] = engine_.held_.emplace(std::string(group), std::string(owner));
    return is_new || held->second == owner ? std::optional<std::string>()
                                           : std::optional(held->second);
  }
  Result<void> let_go(std::string_view group, std::string_view owner) override {
    const MutexLock lock(engine_.mutex_);
    VIBES_TRY(check_reachable());
    const auto held = engine_.held_.find(group);
    if (held != engine_.held_.end() && held->second == owner) {
      engine_.held_.erase(held);
    }
    return {};
  }

  SimEngine& engine_;
};

SimEngine::SimEngine(std::uint64_t seed, SimFaults faults)
    : random_(seed), faults_(faults), thread_([this](const std::stop_token& stop) { run(stop); }) {}

SimEngine::~SimEngine() {
  thread_.request_stop();
  thread_.join();
}

std::unique_ptr<RemoteStream> SimEngine::connect() { return std::make_unique<SimStream>(*this); }

void SimEngine::calm() {
  const MutexLock lock(mutex_);
  faults_ = {.checks_sequence = faults_.checks_sequence};
}

void SimEngine::set_reachable(bool reachable) {
  std::map<const void*, std::function<void()>> listeners;
  {
    const MutexLock lock(mutex_);
    reachable_ = reachable;
    listeners = listeners_;
    changed_.notify_all();
  }
  for (const auto& [stream, listener] : listeners) {
    listener();
  }
}

void SimEngine::end_holds() {
  const MutexLock lock(mutex_);
  held_.clear();
}

void SimEngine::trim(std::uint64_t sequence) {
  const MutexLock lock(mutex_);
  first_ = sequence;
}

std::uint64_t SimEngine::last_sequence() const {
  const MutexLock lock(mutex_);
  return messages_.size();
}

bool SimEngine::happens(unsigned thousandths) { return random_() % 1'000 < thousandths; }

void SimEngine::add_foreign() {
  messages_.push_back({messages_.size() + 1, std::nullopt, "somebody else's"});
  changed_.notify_all();
}

void SimEngine::run(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [this] { return !offers_.empty(); });
    if (offers_.empty()) {
      return;
    }
    Offer offer = std::move(offers_.front());
    offers_.pop_front();
    if (!late_.empty() && happens(200)) {
      (void)store(late_.front());
      late_.pop_front();
    }
    if (happens(faults_.foreign)) {
      add_foreign();
    }
    carry_out(std::move(offer), lock);
  }
}

Result<std::uint64_t> SimEngine::store(const Offer& offer) {
  if (faults_.checks_sequence && offer.last_sequence != messages_.size()) {
    return fail(Errc::not_next, "sim");
  }
  messages_.push_back({messages_.size() + 1, offer.batch, {}});
  changed_.notify_all();
  return messages_.size();
}

void SimEngine::carry_out(Offer offer, MutexLock& lock) {
  Result<std::uint64_t> answer = fail(Errc::indeterminate, "sim");
  if (!reachable_ || happens(faults_.lose_message)) {
    // The answer is that nothing is known.
  } else if (happens(faults_.late_message)) {
    late_.push_back({nullptr, offer.batch, offer.last_sequence, {}});
  } else if (happens(faults_.refuse) || offer.batch.events.size() > faults_.events_max) {
    answer = fail(Errc::storage_full, "sim");
  } else if (auto stored = store(offer); !happens(faults_.lose_answer)) {
    answer = std::move(stored);
  }
  answering_ = offer.by;
  lock.unlock();
  offer.done(std::move(answer));
  lock.lock();
  answering_ = nullptr;
  changed_.notify_all();
}

}  // namespace vibes::test
