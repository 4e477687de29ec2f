// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "verify/findings.hpp"

namespace vibes::verify {
namespace {

std::string describe(const Attempt& attempt) {
  return fmt::format("event {} of producer {} ({})", attempt.first->n, attempt.first->producer,
                     to_string(attempt.first->event_id));
}

void compare_images(const std::vector<const Logged*>& a, const std::vector<const Logged*>& b,
                    std::string_view names, Findings& findings) {
  if (a.size() != b.size()) {
    findings.report(Check::images_agree, [&] {
      return fmt::format("{} hold {} and {} events", names, a.size(), b.size());
    });
  }
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i]->offset != b[i]->offset || a[i]->event_id != b[i]->event_id ||
        a[i]->digest != b[i]->digest) {
      findings.report(Check::images_agree, [&] {
        return fmt::format("{} differ: offset {} holds {} in one, offset {} holds {} in the other",
                           names, a[i]->offset.value(), to_string(a[i]->event_id),
                           b[i]->offset.value(), to_string(b[i]->event_id));
      });
      return;
    }
  }
}

void check_images(const HistoryIndex& index, Findings& findings) {
  const auto replay = index.image(Image::replay);
  const auto offline = index.image(Image::offline);
  const auto restarted = index.image(Image::after_restart);
  if (!replay.empty() && !offline.empty()) {
    compare_images(replay, offline, "the replay and the offline read", findings);
  }
  if (!replay.empty() && !restarted.empty()) {
    compare_images(replay, restarted, "the replay and the replay after a restart", findings);
  }
}

/// The range of a producer's numbers that survived, to tell where something was lost.
struct Survivors {
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t last = 0;
};

std::map<std::uint32_t, Survivors> survivors_of(const HistoryIndex& index) {
  std::map<std::uint32_t, Survivors> survivors;
  for (const Attempt& attempt : index.attempts()) {
    if (index.find(attempt.first->event_id) != nullptr) {
      Survivors& of_producer = survivors[attempt.first->producer];
      of_producer.first = std::min(of_producer.first, attempt.first->n);
      of_producer.last = std::max(of_producer.last, attempt.first->n);
    }
  }
  return survivors;
}

std::string_view count_lost(const Attempt& attempt, const Survivors& survivors, Tally& tally) {
  if (attempt.first->n < survivors.first) {
    ++tally.lost_prefix;
    return "before everything of it that survived";
  }
  if (attempt.first->n > survivors.last) {
    ++tally.lost_postfix;
    return "after everything of it that survived";
  }
  ++tally.lost_middle;
  return "from the middle";
}

void check_lost(const HistoryIndex& index, Findings& findings) {
  auto survivors = survivors_of(index);
  for (const Attempt& attempt : index.attempts()) {
    if (!attempt.acked || index.find(attempt.first->event_id) != nullptr ||
        (attempt.offset && *attempt.offset < index.history().kept_from)) {
      continue;
    }
    const std::string_view where =
        count_lost(attempt, survivors[attempt.first->producer], findings.tally());
    findings.report(Check::lost, [&] {
      return fmt::format("{} was acknowledged{} and is not in the log: lost {}", describe(attempt),
                         attempt.offset ? fmt::format(" at offset {}", attempt.offset->value())
                                        : std::string(attempt.pending ? " as pending" : ""),
                         where);
    });
  }
}

void check_phantoms(const HistoryIndex& index, Findings& findings) {
  if (index.history().is_shared) {
    return;
  }
  const auto& by_server = index.history().server_types;
  for (const Logged* logged : index.log()) {
    if (index.attempt(logged->event_id) == nullptr &&
        std::find(by_server.begin(), by_server.end(), logged->type) == by_server.end()) {
      findings.report(Check::phantom, [&] {
        return fmt::format("offset {} holds {} of type {}, which nobody sent",
                           logged->offset.value(), to_string(logged->event_id), logged->type);
      });
    }
  }
}

void check_aborted_reads(const HistoryIndex& index, Findings& findings) {
  const auto report = [&](const Uuid& event_id, Offset offset, std::string_view seen) {
    const Attempt* attempt = index.attempt(event_id);
    if (attempt != nullptr && attempt->certainly_absent()) {
      findings.report(Check::aborted_read, [&] {
        return fmt::format("{} was refused, yet {} at offset {}", describe(*attempt), seen,
                           offset.value());
      });
    }
  };
  for (const Logged* logged : index.log()) {
    report(logged->event_id, logged->offset, "it is in the log");
  }
  for (const Delivery& delivery : index.history().deliveries) {
    report(delivery.event_id, delivery.offset, "it was delivered");
  }
}

void check_duplicates(const HistoryIndex& index, Findings& findings) {
  for (const Logged* logged : index.log()) {
    const Logged* first = index.find(logged->event_id);
    if (first != logged) {
      findings.report(Check::duplicate, [&] {
        return fmt::format("{} is in the log at offset {} and again at {}",
                           to_string(logged->event_id), first->offset.value(),
                           logged->offset.value());
      });
    }
  }
}

/// The first to name an offset; everybody else must agree.
class Witnesses {
 public:
  explicit Witnesses(Findings& findings) : findings_(findings) {}

  void hear(Offset offset, const Uuid& event_id, std::string_view who) {
    const auto& first = *said_.try_emplace(offset, event_id, who).first;
    if (first.second.first != event_id) {
      findings_.report(Check::offset_agreement, [&] {
        return fmt::format("offset {} is {} according to {}, but {} according to {}",
                           offset.value(), to_string(first.second.first), first.second.second,
                           to_string(event_id), who);
      });
    }
  }

 private:
  Findings& findings_;
  std::unordered_map<Offset, std::pair<Uuid, std::string_view>> said_;
};

void check_agreement(const HistoryIndex& index, Findings& findings) {
  Witnesses witnesses(findings);
  for (const Logged* logged : index.log()) {
    witnesses.hear(logged->offset, logged->event_id, "the log");
  }
  for (const Attempt& attempt : index.attempts()) {
    if (attempt.offset) {
      witnesses.hear(*attempt.offset, attempt.first->event_id, "an ack");
    }
  }
  for (const Delivery& delivery : index.history().deliveries) {
    witnesses.hear(delivery.offset, delivery.event_id, "a delivery");
  }
  for (const Process& processed : index.history().processed) {
    witnesses.hear(processed.offset, processed.event_id, "a consumer group");
  }
}

void check_dense(const HistoryIndex& index, Findings& findings) {
  if (index.history().is_shared) {
    return;
  }
  Offset expected = index.history().kept_from;
  for (const Logged* logged : index.log()) {
    if (logged->offset != expected) {
      findings.report(Check::dense, [&] {
        return fmt::format("after offset {} the log continues at {}",
                           static_cast<std::int64_t>(expected.value()) - 1, logged->offset.value());
      });
    }
    expected = logged->offset + 1;
  }
}

/// Sweeps over time: whatever is sent at a moment must come after the largest offset acknowledged
/// by then. A pending event has none then, and comes after what others sent meanwhile.
void check_real_time(const HistoryIndex& index, Findings& findings) {
  std::vector<const Attempt*> by_ack;
  std::vector<const Attempt*> by_sending;
  for (const Attempt& attempt : index.attempts()) {
    if (attempt.acked && !attempt.pending && index.place(attempt)) {
      by_ack.push_back(&attempt);
    }
    if (index.find(attempt.first->event_id) != nullptr) {
      by_sending.push_back(&attempt);
    }
  }
  std::sort(by_ack.begin(), by_ack.end(),
            [](const Attempt* a, const Attempt* b) { return a->acked_at < b->acked_at; });
  std::sort(by_sending.begin(), by_sending.end(),
            [](const Attempt* a, const Attempt* b) { return a->first->at < b->first->at; });
  const Attempt* highest = nullptr;
  auto acked = by_ack.begin();
  for (const Attempt* sent : by_sending) {
    for (; acked != by_ack.end() && (*acked)->acked_at < sent->first->at; ++acked) {
      highest =
          highest == nullptr || index.place(*highest) < index.place(**acked) ? *acked : highest;
    }
    const Offset place = index.find(sent->first->event_id)->offset;
    if (highest != nullptr && place < *index.place(*highest)) {
      findings.report(Check::real_time, [&] {
        return fmt::format("{} was sent after {} had been acknowledged at offset {}, but is at {}",
                           describe(*sent), describe(*highest), index.place(*highest)->value(),
                           place.value());
      });
    }
  }
}

/// Where an event was sent on two connections either sending may be the one that counted, so only
/// the others have a place in their connection's order.
void check_producer_order(const HistoryIndex& index, Findings& findings) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<const Attempt*>> connections;
  for (const Attempt& attempt : index.attempts()) {
    if (attempt.one_connection && index.find(attempt.first->event_id) != nullptr) {
      connections[{attempt.first->producer, attempt.first->connection}].push_back(&attempt);
    }
  }
  for (auto& [connection, sent] : connections) {
    std::sort(sent.begin(), sent.end(),
              [](const Attempt* a, const Attempt* b) { return a->first->n < b->first->n; });
    for (std::size_t i = 1; i < sent.size(); ++i) {
      const Offset before = index.find(sent[i - 1]->first->event_id)->offset;
      const Offset after = index.find(sent[i]->first->event_id)->offset;
      if (after < before) {
        findings.report(Check::producer_order, [&] {
          return fmt::format("{} is at offset {}, before {} at {}, which was sent first",
                             describe(*sent[i]), after.value(), describe(*sent[i - 1]),
                             before.value());
        });
      }
    }
  }
}

void check_lossless(const HistoryIndex& index, Findings& findings) {
  const auto compare = [&](const Uuid& event_id, const Digest& digest, Offset offset,
                           std::string_view where) {
    const Attempt* attempt = index.attempt(event_id);
    if (attempt != nullptr && attempt->first->digest != digest) {
      findings.report(Check::lossless, [&] {
        return fmt::format("{} has other bytes {} at offset {} than were sent", describe(*attempt),
                           where, offset.value());
      });
    }
  };
  for (const Logged* logged : index.log()) {
    compare(logged->event_id, logged->digest, logged->offset, "in the log");
  }
  for (const Delivery& delivery : index.history().deliveries) {
    compare(delivery.event_id, delivery.digest, delivery.offset, "as delivered");
  }
}

void check_idempotency(const HistoryIndex& index, Findings& findings) {
  for (const Answer& answer : index.history().answers) {
    const Attempt* attempt = index.attempt(answer.producer, answer.n);
    if (attempt != nullptr && answer.outcome == Outcome::ok && answer.offset &&
        answer.offset != attempt->offset) {
      findings.report(Check::idempotency, [&] {
        return fmt::format("{} was acknowledged at offset {} and later at {}", describe(*attempt),
                           attempt->offset->value(), answer.offset->value());
      });
    }
  }
}

void check_batch(const HistoryIndex& index, const std::vector<const Attempt*>& batch,
                 Findings& findings) {
  std::size_t present = 0;
  bool adjacent = true;
  std::optional<Offset> previous;
  for (const Attempt* attempt : batch) {
    const Logged* place = index.find(attempt->first->event_id);
    if (place == nullptr) {
      continue;
    }
    ++present;
    adjacent = adjacent && (!previous || place->offset == *previous + 1);
    previous = place->offset;
  }
  if (present != 0 && (present != batch.size() || !adjacent)) {
    findings.report(Check::atomic_batch, [&] {
      return fmt::format("batch {} of producer {}: {} of its {} events are in the log, {}",
                         batch.front()->first->batch, batch.front()->first->producer, present,
                         batch.size(), adjacent ? "next to each other" : "not next to each other");
    });
  }
}

void check_batches(const HistoryIndex& index, Findings& findings) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<const Attempt*>> batches;
  for (const Attempt& attempt : index.attempts()) {
    if (attempt.first->batch != 0) {
      batches[{attempt.first->producer, attempt.first->batch}].push_back(&attempt);
    }
  }
  for (const auto& [key, batch] : batches) {
    check_batch(index, batch, findings);
  }
}

}  // namespace

void check_log(const HistoryIndex& index, Findings& findings) {
  check_images(index, findings);
  check_lost(index, findings);
  check_phantoms(index, findings);
  check_aborted_reads(index, findings);
  check_duplicates(index, findings);
  check_agreement(index, findings);
  check_dense(index, findings);
  check_real_time(index, findings);
  check_producer_order(index, findings);
  check_lossless(index, findings);
  check_idempotency(index, findings);
  check_batches(index, findings);
}

}  // namespace vibes::verify
