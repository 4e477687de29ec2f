// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "event/event.hpp"

namespace vibes::event {

/// How far the session of a filter reaches.
enum class Reach : std::uint8_t {
  session,  // the session under all its names
  tree,     // and those that were started in it
};

/// The sessions that a filter's one stands for. Thread-safe.
class SessionScope {
 public:
  SessionScope() = default;
  SessionScope(const SessionScope&) = delete;
  SessionScope& operator=(const SessionScope&) = delete;
  virtual ~SessionScope() = default;

  [[nodiscard]] virtual bool contains(std::string_view session) const = 0;
};

/// Which events a reader wants. A default filter matches everything. Matching looks only at the
/// fields kept beside an event, never at its JSON. A value: copy it freely.
class Filter {
 public:
  Filter() = default;

  /// `types`: categories or exact event types, trimmed, case-insensitive; empty means all.
  /// A name that is a category means the category (the type `claude` is the only type of its name).
  static Result<Filter> make(const std::vector<std::string>& types,
                             std::optional<std::string> session);
  /// The same from a comma-separated list, as in a query string.
  static Result<Filter> parse(std::string_view types, std::optional<std::string> session);

  [[nodiscard]] bool matches(std::string_view type, std::string_view session) const;
  [[nodiscard]] bool matches(const EventView& event) const {
    return matches(event.type, event.session);
  }
  [[nodiscard]] bool matches_everything() const;
  /// Equal filters match the same. Of those with a widened session only copies of one are equal.
  bool operator==(const Filter& other) const = default;

  [[nodiscard]] const std::optional<std::string>& session() const { return session_; }
  /// The filter's session, where it has one, stands for these from now on.
  void widen(std::shared_ptr<const SessionScope> scope) { scope_ = std::move(scope); }
  /// Of what matches, only the sessions of these slots: a bit for each session_slot().
  void keep_slots(std::uint64_t slots) { slots_ = slots; }

 private:
  [[nodiscard]] bool matches_type(std::string_view type) const;
  [[nodiscard]] bool matches_session(std::string_view session) const;
  [[nodiscard]] bool matches_slot(std::string_view session) const;

  unsigned categories_ = 0;         // bit per Category
  std::vector<std::string> types_;  // lower case, sorted
  std::optional<std::string> session_;
  std::shared_ptr<const SessionScope> scope_;  // shared by the copies of a filter; nullptr: no more
  std::uint64_t slots_ = ~std::uint64_t{0};
};

}  // namespace vibes::event
