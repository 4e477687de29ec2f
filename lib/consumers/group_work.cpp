// SPDX-License-Identifier: MIT
// What is done to a group on the disk, on the commit queue's thread.
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "consumers/errc.hpp"
#include "consumers/group_registry_impl.hpp"

namespace vibes::consumers {

Result<void> GroupRegistryImpl::check(const Work& work) const {
  const Offset end = log_.end();
  if (work.kind == Work::Kind::commit && work.offset > end) {
    return fail(eventlog::Errc::bad_commit,
                fmt::format("{} is past the end at {}", work.offset.value(), end.value()));
  }
  const bool names_event = work.kind == Work::Kind::reject || work.kind == Work::Kind::set_aside;
  if (names_event && work.offset >= end) {
    return fail(Errc::bad_reject,
                fmt::format("{} is not below the end at {}", work.offset.value(), end.value()));
  }
  return {};
}

Result<void> GroupRegistryImpl::check_letters(const Work& work) {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(work.group);
  const bool lost = found != groups_.end() && found->second.lost_letter;
  return lost && work.kind == Work::Kind::commit ? fail(*found->second.lost_letter)
                                                 : Result<void>();
}

Result<Offset> GroupRegistryImpl::do_work(const Work& work) {
  VIBES_TRY(check_letters(work));
  switch (work.kind) {
    case Work::Kind::commit:
      return commit(work.group, work.offset);
    case Work::Kind::reject:
      return reject(work);
    case Work::Kind::set_aside:
      return set_aside(work);
    case Work::Kind::forget_letters:
      VIBES_TRY(letters_->remove(work.group));
      return log_.group_offsets().committed(work.group).value_or(Offset{});
    case Work::Kind::remove:
      break;
  }
  return remove(work.group);
}

Result<Offset> GroupRegistryImpl::carry_out(const Work& work) {
  auto result = do_work(work);
  const MutexLock lock(mutex_);
  const auto found = groups_.find(work.group);
  if (found != groups_.end()) {
    found->second.commit_problem = result ? std::string() : result.error().message();
    if (work.kind == Work::Kind::set_aside) {
      found->second.lost_letter = result ? std::nullopt : std::optional(result.error());
    }
    const bool committed = work.kind == Work::Kind::commit || work.kind == Work::Kind::reject;
    if (result && committed) {
      found->second.first_start.reset();
    }
  }
  return result;
}

Result<Offset> GroupRegistryImpl::commit(const std::string& name, Offset next) {
  VIBES_TRY(log_.group_offsets().commit(name, next));
  return next;
}

std::optional<Uuid> GroupRegistryImpl::event_id_at(Offset offset) {
  auto reader = log_.reader(offset);
  if (!reader) {
    return std::nullopt;
  }
  const auto batch = (*reader)->read({.events_max = 1});
  return batch && !batch->events.empty() ? std::optional(batch->events.front().event_id)
                                         : std::nullopt;
}

Result<Offset> GroupRegistryImpl::set_aside(const Work& work) {
  VIBES_TRY(letters_->add(work.group, {work.offset, event_id_at(work.offset), work.reason,
                                       work.attempts, clock_.now()}));
  return log_.group_offsets().committed(work.group).value_or(Offset{});
}

Result<Offset> GroupRegistryImpl::reject(const Work& work) {
  VIBES_TRY_ASSIGN(committed, set_aside(work));
  return commit(work.group, std::max(committed, work.offset + 1));
}

Result<Offset> GroupRegistryImpl::remove(const std::string& name) {
  VIBES_TRY(letters_->remove(name));
  if (log_.group_offsets().committed(name)) {
    VIBES_TRY(log_.group_offsets().remove(name));
  }
  const MutexLock lock(mutex_);
  groups_.erase(name);
  return Offset{};
}

}  // namespace vibes::consumers
