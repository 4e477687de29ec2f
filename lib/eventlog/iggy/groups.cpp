// SPDX-License-Identifier: MIT
#include "eventlog/iggy/groups.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/uuid.hpp"
#include "event/base64.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/topic_setup.hpp"

namespace vibes::eventlog::iggy {
namespace {

/// Behind the message that counts there is at most one of each other process that did not know it.
constexpr std::size_t kLookedAt = 16;
constexpr std::size_t kLookedAtMost = 1'024;
constexpr int kTries = 10;

/// For whoever stores, an outcome that is unknown is a failure like another: it stores again.
Unexpected as_unreachable(const Error& error) {
  return error.code == Errc::indeterminate || error.code == Errc::closed
             ? fail(Errc::unreachable, error.context)
             : fail(error);
}

}  // namespace

Result<void> Groups::open() {
  const MutexLock lock(mutex_);
  for (const std::string& name : topics_) {
    VIBES_TRY_ASSIGN(topic, ensure_topic(client_, options_, name, stop_.get_token()));
    if (topic.partitions != 1) {
      return fail(Errc::other_settings, fmt::format("{}: the topic {} has {} partitions",
                                                    options_.url(), name, topic.partitions));
    }
  }
  return {};
}

/// Takes the state that counts if it is newer than ours.
Result<void> Groups::fetch_from(std::size_t topic) {
  for (std::size_t count = kLookedAt;; count *= 4) {
    auto polled = poll_place(client_, options_, topics_[topic], "kind=last&value=0", count,
                             stop_.get_token());
    if (!polled && polled.error().code == Errc::corrupt) {
      return fetch_one_by_one(topic);
    }
    if (!polled) {
      return as_unreachable(polled.error());
    }
    bool is_first_that_was_looked_at = false;
    for (const PolledMessage& message : polled->messages) {
      auto state = decode_groups(message.payload);
      if (state && state->number > state_.number) {
        state_ = *std::move(state);
        place_ = {.topic = topic, .offset = message.offset};
        is_first_that_was_looked_at = message.offset == polled->messages.front().offset;
      }
    }
    const bool may_be_more = is_first_that_was_looked_at && polled->messages.size() == count;
    if (!may_be_more || count >= kLookedAtMost) {
      return {};
    }
    state_ = {};  // one before it may have the same number
  }
}

/// Around a message that the server cannot read any more. The next state goes into the other topic,
/// and this one is emptied.
Result<void> Groups::fetch_one_by_one(std::size_t topic) {
  const std::stop_token stop = stop_.get_token();
  VIBES_TRY_ASSIGN(found, find_topic(client_, options_, topics_[topic], stop));
  const std::uint64_t end = found ? found->end() : 0;
  for (std::uint64_t at = end - std::min<std::uint64_t>(end, kLookedAt); at < end; ++at) {
    auto polled = poll_place(client_, options_, topics_[topic],
                             fmt::format("kind=offset&value={}", at), 1, stop);
    if (!polled && polled.error().code != Errc::corrupt) {
      return as_unreachable(polled.error());
    }
    auto state = polled && !polled->messages.empty()
                     ? decode_groups(polled->messages.front().payload)
                     : std::nullopt;
    if (state && state->number > state_.number) {
      state_ = *std::move(state);
      place_ = {.topic = topic, .offset = limits_.messages_max};
    }
  }
  return {};
}

Result<void> Groups::fetch() {
  state_ = {};  // the server may have lost what we know
  for (std::size_t topic = 0; topic < topics_.size(); ++topic) {
    VIBES_TRY(fetch_from(topic));
  }
  note_holds();
  return {};
}

void Groups::note_holds() {
  std::erase_if(holds_, [this](const auto& seen)
                            VIBES_REQUIRES(mutex_) { return !state_.holds.contains(seen.first); });
  for (const auto& [group, hold] : state_.holds) {
    SeenHold& seen = holds_[group];
    if (seen.hold != hold) {
      seen = {hold, Clockwork::now()};
    }
  }
}

bool Groups::is_held(std::string_view group, const GroupsState::Hold& hold) const {
  const auto seen = holds_.find(group);
  return seen == holds_.end() || seen->second.hold != hold ||
         Clockwork::now() - seen->second.since < limits_.held_for;
}

/// Edits the newest state, which is read again as long as others are faster. Every edit may be done
/// twice.
Result<void> Groups::change(const Edit& edit) {
  for (int tried = 0; tried < kTries; ++tried) {
    VIBES_TRY(fetch());
    GroupsState next = state_;
    next.number = state_.number + 1;
    next.by = to_string(random_uuid());
    if (edit(next) == Change::unnecessary) {
      return {};
    }
    // All who follow from one state go to the same topic.
    const bool is_full = place_.offset + 1 >= limits_.messages_max;
    const std::size_t before = place_.topic;
    const std::size_t topic = is_full ? 1 - before : before;
    VIBES_TRY(send(topic, next));
    VIBES_TRY(fetch_from(topic));
    if (state_.by == next.by) {
      if (is_full) {
        empty(before);
      }
      return {};
    }
  }
  return fail(Errc::unreachable, options_.url() + ": others change the groups all the time");
}

Result<void> Groups::send(std::size_t topic, const GroupsState& state) {
  const std::array<std::string, 1> payload = {event::encode_base64(encode(state))};
  auto answer = client_.ask({.method = HttpRequest::Method::post,
                             .path = options_.topic_path(topics_[topic]) + "/messages",
                             .body = send_body(payload)},
                            stop_.get_token());
  if (!answer) {
    return as_unreachable(answer.error());
  }
  return answer->status == kCreated || answer->status == kOk
             ? Result<void>()
             : fail(Errc::unreachable, fmt::format("{}: {}", options_.url(), describe(*answer)));
}

/// Where this fails it is tried again when the other one is full.
void Groups::empty(std::size_t topic) {
  static_cast<void>(client_.ask({.method = HttpRequest::Method::remove,
                                 .path = options_.topic_path(topics_[topic]) + "/purge"},
                                stop_.get_token()));
}

Result<Groups::Offsets> Groups::load() {
  const MutexLock lock(mutex_);
  VIBES_TRY(fetch());
  return state_.offsets;
}

Result<void> Groups::store(std::string_view group, Offset next) {
  const MutexLock lock(mutex_);
  return change([&](GroupsState& state) {
    state.offsets.insert_or_assign(std::string(group), next);
    return Change::made;
  });
}

Result<void> Groups::remove(std::string_view group) {
  const MutexLock lock(mutex_);
  return change([&](GroupsState& state) {
    const auto found = state.offsets.find(group);
    if (found == state.offsets.end()) {
      return Change::unnecessary;
    }
    state.offsets.erase(found);
    return Change::made;
  });
}

Result<std::optional<std::string>> Groups::hold(std::string_view group, std::string_view owner) {
  const MutexLock lock(mutex_);
  std::optional<std::string> holder;
  VIBES_TRY(change([&](GroupsState& state) VIBES_REQUIRES(mutex_) {
    holder.reset();
    const auto found = state.holds.find(group);
    if (found != state.holds.end() && found->second.owner != owner &&
        is_held(group, found->second)) {
      holder = found->second.owner;
      return Change::unnecessary;
    }
    state.holds.insert_or_assign(std::string(group),
                                 GroupsState::Hold{std::string(owner), state.number});
    return Change::made;
  }));
  return holder;
}

Result<void> Groups::let_go(std::string_view group, std::string_view owner) {
  const MutexLock lock(mutex_);
  return change([&](GroupsState& state) {
    const auto found = state.holds.find(group);
    if (found == state.holds.end() || found->second.owner != owner) {
      return Change::unnecessary;
    }
    state.holds.erase(found);
    return Change::made;
  });
}

}  // namespace vibes::eventlog::iggy
