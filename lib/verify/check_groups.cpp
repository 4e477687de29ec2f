// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <variant>

#include <fmt/format.h>

#include "verify/findings.hpp"

namespace vibes::verify {
namespace {

using GroupRecord = std::variant<const Join*, const Process*, const Commit*>;

/// What one group went through, in the order of time.
struct GroupLife {
  std::string name;
  std::vector<std::pair<std::int64_t, GroupRecord>> records;
};

std::vector<GroupLife> lives_of(const History& history) {
  std::map<std::string, GroupLife> lives;
  const auto add = [&](const auto& records) {
    for (const auto& record : records) {
      GroupLife& life = lives[record.group];
      life.name = record.group;
      life.records.emplace_back(record.at, &record);
    }
  };
  add(history.joins);
  add(history.processed);
  add(history.commits);
  std::vector<GroupLife> sorted;
  for (auto& [name, life] : lives) {
    std::stable_sort(life.records.begin(), life.records.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    sorted.push_back(std::move(life));
  }
  return sorted;
}

/// Follows one group through its life and complains where a step is not allowed.
class GroupWalk {
 public:
  GroupWalk(const GroupLife& life, const HistoryIndex& index, Findings& findings)
      : life_(life), index_(index), findings_(findings) {}

  void walk() {
    for (const auto& [at, record] : life_.records) {
      std::visit([&](const auto* step) { take(*step); }, record);
    }
    check_union();
  }

 private:
  void take(const Join& join) {
    if (!first_) {
      first_ = join.from;
      durable_ = attempted_ = join.from;
    } else if (join.from < durable_ || join.from > attempted_) {
      findings_.report(Check::resume_point, [&] {
        return fmt::format(
            "group {} resumed at {}, although {} was committed durably and nothing past {} was "
            "asked",
            life_.name, join.from.value(), durable_.value(), attempted_.value());
      });
    }
    // What the server resumed from is its commit from now on.
    durable_ = attempted_ = std::max(durable_, join.from);
  }
  void take(const Process& step) {
    if (step.offset < durable_) {
      findings_.report(Check::processed, [&] {
        return fmt::format("group {} was given offset {} again, although {} was committed",
                           life_.name, step.offset.value(), durable_.value());
      });
    }
    processed_.push_back(step.offset);
  }
  void take(const Commit& step) {
    if (step.phase == CommitPhase::invoke) {
      attempted_ = std::max(attempted_, step.next);
      return;
    }
    durable_ = std::max(durable_, step.next);
    if (step.next > index_.end()) {
      findings_.report(Check::commit_in_log, [&] {
        return fmt::format("group {} committed {}, past the end of the log at {}", life_.name,
                           step.next.value(), index_.end().value());
      });
    }
  }
  /// Everything between the first start and the last commit must have been handed out.
  void check_union() {
    std::sort(processed_.begin(), processed_.end());
    for (const Logged* logged : index_.log()) {
      const bool owed = first_ && logged->offset >= *first_ && logged->offset < durable_;
      if (owed && !std::binary_search(processed_.begin(), processed_.end(), logged->offset)) {
        findings_.report(Check::processed, [&] {
          return fmt::format("group {} never got offset {}, but stands at {}", life_.name,
                             logged->offset.value(), durable_.value());
        });
      }
    }
  }

  const GroupLife& life_;
  const HistoryIndex& index_;
  Findings& findings_;
  std::optional<Offset> first_;
  Offset durable_;    // the largest commit known to be durable
  Offset attempted_;  // the largest commit asked for
  std::vector<Offset> processed_;
};

}  // namespace

void check_groups(const HistoryIndex& index, Findings& findings) {
  for (const GroupLife& life : lives_of(index.history())) {
    GroupWalk(life, index, findings).walk();
  }
}

namespace {

/// When the server that made this recovery had gone: what was acknowledged after its return says
/// nothing about the recovery, and may come before its record.
std::int64_t down_before(const History& history, const Recovery& recovery) {
  std::int64_t at = recovery.at;
  for (const Fault& fault : history.faults) {
    if (fault.phase == FaultPhase::down && fault.at < recovery.at) {
      at = fault.at;
    }
  }
  return at;
}

}  // namespace

void check_recoveries(const HistoryIndex& index, Findings& findings) {
  std::vector<const Attempt*> by_ack;
  for (const Attempt& attempt : index.attempts()) {
    if (attempt.acked && attempt.offset) {
      by_ack.push_back(&attempt);
    }
  }
  std::sort(by_ack.begin(), by_ack.end(),
            [](const Attempt* a, const Attempt* b) { return a->acked_at < b->acked_at; });
  const Attempt* highest = nullptr;
  auto acked = by_ack.begin();
  for (const Recovery& recovery : index.history().recoveries) {
    const std::int64_t down_at = down_before(index.history(), recovery);
    for (; acked != by_ack.end() && (*acked)->acked_at < down_at; ++acked) {
      highest = highest == nullptr || *highest->offset < *(*acked)->offset ? *acked : highest;
    }
    if (recovery.bytes_cut != recovery.bytes_quarantined) {
      findings.report(Check::recovery, [&] {
        return fmt::format("recovery cut {} bytes but kept {} of them", recovery.bytes_cut,
                           recovery.bytes_quarantined);
      });
    }
    if (highest != nullptr && recovery.end <= *highest->offset) {
      findings.report(Check::recovery, [&] {
        return fmt::format("recovery ended the log at {}, below offset {}, which was acknowledged",
                           recovery.end.value(), highest->offset->value());
      });
    }
  }
}

}  // namespace vibes::verify
