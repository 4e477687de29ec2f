// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/offset.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "event/event.hpp"

namespace vibes::consumers {

/// What an agent is to be given with the answer of one hook.
struct Handout {
  std::vector<Uuid> interventions;  // their event_ids, in the order of the log
  std::string context;              // their messages, a blank line between two
};

/// The interventions that wait for a hook of their session, folded from the log. What waits and
/// what has been delivered is state, saved and loaded; who holds what is a matter of a minute and
/// of this object.
///
/// One that is handed out is held for the hook that asked (limits::kInterventionHeldFor), so that
/// no other hook gets it before `intervention_delivered` is folded, and the same hook the same
/// answer; delivered ones are kept as long for that hook's sake. One that waits is dropped at its
/// session's end, after limits::kInterventionMaxAge, or for a fifth one of its session.
///
/// Bounded in memory. Not thread-safe; the clock must outlive it.
class WaitingInterventions {
 public:
  explicit WaitingInterventions(const Clock& clock,
                                std::size_t sessions_max = limits::kInterventionSessionsMax)
      : clock_(clock), sessions_max_(sessions_max) {}

  /// Takes the log's next event; one before next() changes nothing. Errors: std::errc::bad_message
  /// for one that is not what its type says; then nothing has changed but next().
  Result<void> fold(const event::EventView& event);
  /// The offset of the first event that it has not seen.
  [[nodiscard]] Offset next() const { return next_; }
  /// Leaves out the events before `next`.
  void skip_to(Offset next);
  /// Forgets what waits, not who holds what.
  void clear();

  /// What the session's hook with that event_id is to say, held for it from now on; nothing where
  /// nothing waits that no other hook holds.
  std::optional<Handout> hand_out(std::string_view session, const Uuid& hook);

  /// The state as a JSON document.
  [[nodiscard]] std::string save();
  /// Replaces the state by a saved one. Errors: std::errc::bad_message; then nothing has changed.
  Result<void> load(std::string_view json);
  /// Whether the state is another one than at the last save() or load().
  [[nodiscard]] bool has_changed() const { return changes_ != changes_saved_; }

 private:
  struct Delivery {
    Uuid hook;
    Timestamp time;
  };
  struct Item {
    Uuid id;
    Timestamp time;  // when it was appended
    std::string message;
    std::optional<Delivery> delivery;
  };
  struct Hold {
    Uuid hook;
    std::int64_t until_ns = 0;  // steady
  };
  using Sessions = std::map<std::string, std::vector<Item>, std::less<>>;

  void add(std::string_view session, Item item);
  void deliver(std::string_view session, const Uuid& intervention, const Delivery& delivery);
  void end(std::string_view session);
  void make_room();
  [[nodiscard]] bool is_over(const Item& item, Timestamp now) const;
  void drop_old(Sessions::iterator session, Timestamp now);
  [[nodiscard]] const Uuid* holder_of(const Item& item) const;
  void hold(const Item& item, const Uuid& hook);

  const Clock& clock_;
  const std::size_t sessions_max_;
  Offset next_;
  Sessions sessions_;
  std::unordered_map<Uuid, Hold> holds_;  // by intervention
  std::uint64_t changes_ = 0;
  std::uint64_t changes_saved_ = 0;
};

}  // namespace vibes::consumers
