// SPDX-License-Identifier: MIT
#include "consumers/group_memberships.hpp"

#include <utility>

namespace vibes::consumers {
namespace {

/// Lets answers through as long as the membership lives. The lock is held while an answer runs, so
/// that none runs after the end.
struct Gate {
  Mutex mutex;
  bool open VIBES_GUARDED_BY(mutex) = true;
};

Membership::CommitDone gated(std::shared_ptr<Gate> gate, Membership::CommitDone done) {
  return [gate = std::move(gate), done = std::move(done)](Result<Offset> committed) {
    const MutexLock lock(gate->mutex);
    if (gate->open && done) {
      done(std::move(committed));
    }
  };
}

class MembershipImpl final : public Membership {
 public:
  MembershipImpl(GroupRegistryImpl& registry, std::string group, Offset start)
      : registry_(registry), group_(std::move(group)), start_(start) {}
  ~MembershipImpl() override {
    {
      const MutexLock lock(gate_->mutex);
      gate_->open = false;
    }
    registry_.release(group_);
  }

  [[nodiscard]] Offset start() const override { return start_; }

  Result<void> commit(Offset next, CommitDone done) override {
    return push({group_, Work::Kind::commit, next, {}, 0, std::move(done)});
  }
  Result<void> reject(Offset offset, std::string reason, std::uint64_t attempts,
                      CommitDone done) override {
    return push({group_, Work::Kind::reject, offset, std::move(reason), attempts, std::move(done)});
  }
  Result<void> commit_now(Offset next) override {
    return wait({group_, Work::Kind::commit, next, {}, 0, {}});
  }
  Result<void> reject_now(Offset offset, std::string reason, std::uint64_t attempts) override {
    return wait({group_, Work::Kind::reject, offset, std::move(reason), attempts, {}});
  }
  Result<void> set_aside_now(Offset offset, std::string reason, std::uint64_t attempts) override {
    return wait({group_, Work::Kind::set_aside, offset, std::move(reason), attempts, {}});
  }
  void report(Progress progress) override { registry_.report(group_, std::move(progress)); }
  [[nodiscard]] std::optional<Offset> wanted_move() const override {
    return registry_.wanted_move(group_);
  }
  Result<Offset> take_move() override { return registry_.take_move(group_); }

 private:
  Result<void> push(Work work) {
    VIBES_TRY(registry_.check(work));
    work.done = gated(gate_, std::move(work.done));
    return registry_.queue().push(std::move(work));
  }
  Result<void> wait(Work work) {
    VIBES_TRY(registry_.check(work));
    VIBES_TRY(registry_.queue().push_and_wait(std::move(work)));
    return {};
  }

  GroupRegistryImpl& registry_;
  const std::string group_;
  const Offset start_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();  // with answers still to come
};

class SharedMembershipImpl final : public SharedMembership {
 public:
  SharedMembershipImpl(GroupRegistryImpl& registry, std::string group,
                       GroupRegistryImpl::Shared shared)
      : registry_(registry), group_(std::move(group)), shared_(shared) {}
  ~SharedMembershipImpl() override {
    {
      const MutexLock lock(gate_->mutex);
      gate_->open = false;
    }
    registry_.leave(group_, shared_.id);
  }

  [[nodiscard]] Offset start() const override { return shared_.start; }
  SlotTable::Share sync(SlotTable::Place place) override {
    return registry_.sync(group_, shared_.id, place);
  }
  [[nodiscard]] SlotTable::Segment segment(Offset cursor) const override {
    return registry_.segment(group_, shared_.id, cursor);
  }
  [[nodiscard]] bool holds_others_back(SlotTable::Place place) const override {
    return registry_.holds_others_back(group_, shared_.id, place);
  }
  Result<void> commit(Offset next, SlotTable::Place place, Membership::CommitDone done) override {
    return push({group_, Work::Kind::commit, next, {}, 0, gated(gate_, std::move(done))}, place);
  }
  Result<void> reject(Offset offset, SlotTable::Place place, std::string reason,
                      std::uint64_t attempts, Membership::CommitDone done) override {
    return push({group_, Work::Kind::reject, offset, std::move(reason), attempts,
                 gated(gate_, std::move(done))},
                place);
  }

 private:
  Result<void> push(Work work, SlotTable::Place place) {
    VIBES_TRY(registry_.check(work));
    return registry_.commit_share(std::move(work), shared_.id, place);
  }

  GroupRegistryImpl& registry_;
  const std::string group_;
  const GroupRegistryImpl::Shared shared_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();  // with answers still to come
};

}  // namespace

std::unique_ptr<Membership> make_membership(GroupRegistryImpl& registry, std::string group,
                                            Offset start) {
  return std::make_unique<MembershipImpl>(registry, std::move(group), start);
}

std::unique_ptr<SharedMembership> make_shared_membership(GroupRegistryImpl& registry,
                                                         std::string group,
                                                         GroupRegistryImpl::Shared shared) {
  return std::make_unique<SharedMembershipImpl>(registry, std::move(group), shared);
}

}  // namespace vibes::consumers
