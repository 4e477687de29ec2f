// SPDX-License-Identifier: MIT
#include "verify/history_index.hpp"

#include <algorithm>
#include <limits>

namespace vibes::verify {

HistoryIndex::HistoryIndex(const History& history) : history_(history) {
  take_appends();
  take_answers();
  for (const Image which : {Image::replay, Image::offline, Image::after_restart}) {
    if (log_.empty()) {
      log_ = image(which);
    }
  }
  for (const Logged* logged : log_) {
    places_.try_emplace(logged->event_id, logged);
  }
}

void HistoryIndex::take_appends() {
  for (const Append& append : history_.appends) {
    const auto [found, is_new] = by_id_.try_emplace(append.event_id, attempts_.size());
    if (is_new) {
      attempts_.emplace_back().first = &append;
    } else if (append.connection != attempts_[found->second].first->connection) {
      attempts_[found->second].one_connection = false;
    }
    by_number_.try_emplace({append.producer, append.n}, found->second);
  }
}

void HistoryIndex::take_answers() {
  for (const Answer& answer : history_.answers) {
    const auto found = by_number_.find({answer.producer, answer.n});
    if (found == by_number_.end()) {
      continue;
    }
    Attempt& attempt = attempts_[found->second];
    if (answer.outcome == Outcome::ok) {
      const bool has_place = attempt.acked && !attempt.pending;
      attempt.acked_at = has_place ? attempt.acked_at : answer.at;
      attempt.pending = !has_place && answer.pending;
      attempt.acked = true;
      attempt.offset = attempt.offset ? attempt.offset : answer.offset;
    }
    attempt.refused = attempt.refused || answer.outcome == Outcome::fail;
    attempt.unclear = attempt.unclear || answer.outcome == Outcome::info;
  }
}

const Attempt* HistoryIndex::attempt(const Uuid& event_id) const {
  const auto found = by_id_.find(event_id);
  return found == by_id_.end() ? nullptr : &attempts_[found->second];
}

const Attempt* HistoryIndex::attempt(std::uint32_t producer, std::uint64_t n) const {
  const auto found = by_number_.find({producer, n});
  return found == by_number_.end() ? nullptr : &attempts_[found->second];
}

std::vector<const Logged*> HistoryIndex::image(Image which) const {
  std::vector<const Logged*> events;
  for (const Logged& logged : history_.log) {
    if (logged.image == which) {
      events.push_back(&logged);
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Logged* a, const Logged* b) { return a->offset < b->offset; });
  return events;
}

const Logged* HistoryIndex::at(Offset offset) const {
  const auto found =
      std::lower_bound(log_.begin(), log_.end(), offset,
                       [](const Logged* logged, Offset wanted) { return logged->offset < wanted; });
  return found != log_.end() && (*found)->offset == offset ? *found : nullptr;
}

const Logged* HistoryIndex::find(const Uuid& event_id) const {
  const auto found = places_.find(event_id);
  return found == places_.end() ? nullptr : found->second;
}

std::optional<Offset> HistoryIndex::place(const Attempt& attempt) const {
  const Logged* logged = attempt.offset ? nullptr : find(attempt.first->event_id);
  return logged == nullptr ? attempt.offset : logged->offset;
}

Offset HistoryIndex::end() const {
  if (history_.is_shared) {
    return Offset(std::numeric_limits<std::uint64_t>::max());
  }
  return log_.empty() ? history_.kept_from : log_.back()->offset + 1;
}

const std::vector<Offset>& HistoryIndex::matching(const Connect& connect) const {
  const auto [found, is_new] = matching_.try_emplace({connect.types, connect.session});
  if (is_new) {
    const auto& types = connect.types;
    for (const Logged* logged : log_) {
      const bool type_matches =
          types.empty() || std::find(types.begin(), types.end(), logged->type) != types.end();
      if (type_matches && (connect.session.empty() || connect.session == logged->session)) {
        found->second.push_back(logged->offset);
      }
    }
  }
  return found->second;
}

}  // namespace vibes::verify
