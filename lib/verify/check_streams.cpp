// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <variant>

#include <fmt/format.h>

#include "verify/findings.hpp"

namespace vibes::verify {
namespace {

using StreamRecord =
    std::variant<const Connect*, const Delivery*, const Progress*, const GapNotice*, const Finish*>;

struct ClientLife {
  std::uint32_t client = 0;
  std::vector<std::pair<std::int64_t, StreamRecord>> records;
};

std::vector<ClientLife> lives_of(const History& history) {
  std::map<std::uint32_t, ClientLife> lives;
  const auto add = [&](const auto& records) {
    for (const auto& record : records) {
      ClientLife& life = lives[record.client];
      life.client = record.client;
      life.records.emplace_back(record.at, &record);
    }
  };
  add(history.connects);
  add(history.deliveries);
  add(history.progress);
  add(history.gaps);
  add(history.finishes);
  std::vector<ClientLife> sorted;
  for (auto& [client, life] : lives) {
    std::stable_sort(life.records.begin(), life.records.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    sorted.push_back(std::move(life));
  }
  return sorted;
}

/// When everything had calmed down: no fault and no ack after it.
std::int64_t healed_at(const HistoryIndex& index) {
  std::int64_t healed = 0;
  for (const Fault& fault : index.history().faults) {
    healed = std::max(healed, fault.at);
  }
  for (const Answer& answer : index.history().answers) {
    healed = std::max(healed, answer.at);
  }
  return healed;
}

/// Follows one client over all its connections and complains where it was not served what is next.
class StreamWalk {
 public:
  StreamWalk(const ClientLife& life, const HistoryIndex& index, std::int64_t complete_before,
             Findings& findings)
      : life_(life),
        index_(index),
        complete_before_(complete_before),
        findings_(findings),
        matching_(&index.matching(Connect{})) {}

  void walk() {
    for (const auto& [at, record] : life_.records) {
      std::visit([&](const auto* step) { take(*step); }, record);
    }
  }

 private:
  /// The next offset the client must be given, from `from` on.
  [[nodiscard]] std::optional<Offset> expected(Offset from) const {
    const auto found = std::lower_bound(matching_->begin(), matching_->end(), from);
    return found == matching_->end() ? std::nullopt : std::optional(*found);
  }

  void take(const Connect& connect) {
    matching_ = &index_.matching(connect);
    reconnected_ = connects_++ > 0;
    told_.reset();
    if (!connect.from) {
      next_ = reconnected_ ? next_ : std::nullopt;
      return;
    }
    const auto skipped = next_ ? expected(*next_) : std::nullopt;
    if (reconnected_ && skipped && *skipped < *connect.from) {
      findings_.report(Check::resumable, [&] {
        return fmt::format("client {} continued at {} without having been given offset {}",
                           life_.client, connect.from->value(), skipped->value());
      });
    }
    next_ = connect.from;
  }

  void take(const Delivery& delivery) {
    last_delivery_at_ = delivery.at;
    const Logged* logged = index_.at(delivery.offset);
    if (logged == nullptr || logged->event_id != delivery.event_id) {
      findings_.report(Check::unhappened, [&] {
        return fmt::format("client {} was given {} at offset {}, where the log now holds {}",
                           life_.client, to_string(delivery.event_id), delivery.offset.value(),
                           logged == nullptr ? "nothing" : to_string(logged->event_id));
      });
    } else if (next_) {
      check_order(delivery);
    }
    next_ = next_ ? std::max(*next_, delivery.offset + 1) : delivery.offset + 1;
    reconnected_ = false;
  }

  void check_order(const Delivery& delivery) {
    const auto due = expected(*next_);
    if (due == delivery.offset) {
      return;
    }
    findings_.report(reconnected_ ? Check::resumable : Check::stream_order, [&] {
      return fmt::format("client {}, connection {}: was given offset {} where {} was next{}",
                         life_.client, delivery.connection, delivery.offset.value(),
                         due ? std::to_string(due->value()) : "nothing",
                         reconnected_ ? ", just after it reconnected" : "");
    });
  }

  void take(const Progress& progress) {
    const auto due = next_ ? expected(*next_) : std::nullopt;
    const auto report = [&](const std::string& what) {
      findings_.report(Check::progress, [&] {
        return fmt::format("client {}, connection {}: was told position {}, {}", life_.client,
                           progress.connection, progress.next.value(), what);
      });
    };
    if (told_ && progress.next < *told_) {
      report(fmt::format("after {}", told_->value()));
    } else if (due && *due < progress.next) {
      report(fmt::format("before it was given offset {}", due->value()));
    } else if (progress.next > index_.end()) {
      report(fmt::format("past the end of the log at {}", index_.end().value()));
    }
    told_ = progress.next;
    next_ = next_ ? std::max(*next_, progress.next) : progress.next;
  }

  void take(const GapNotice& gap) {
    if (gap.to > index_.history().kept_from) {
      findings_.report(Check::stream_order, [&] {
        return fmt::format(
            "client {} was told that offsets {} to {} are gone, but the log has them", life_.client,
            gap.from.value(), gap.to.value() - 1);
      });
    }
    next_ = next_ ? std::max(*next_, gap.to) : gap.to;
  }

  void take(const Finish&) {
    const auto missing = next_ ? expected(*next_) : std::nullopt;
    if (missing) {
      findings_.report(Check::completeness, [&] {
        return fmt::format("client {} never got offset {}, although it was there to the end",
                           life_.client, missing->value());
      });
    } else if (last_delivery_at_ > complete_before_) {
      findings_.report(Check::completeness, [&] {
        return fmt::format("client {} got its last event {} s too late", life_.client,
                           (last_delivery_at_ - complete_before_) / 1'000'000'000 + 1);
      });
    }
  }

  const ClientLife& life_;
  const HistoryIndex& index_;
  std::int64_t complete_before_;
  Findings& findings_;
  const std::vector<Offset>* matching_;
  std::optional<Offset> next_;  // nothing below it is owed any more; unknown for a live client
  std::optional<Offset> told_;  // the last position on this connection
  unsigned connects_ = 0;
  bool reconnected_ = false;  // and nothing was delivered on the new connection yet
  std::int64_t last_delivery_at_ = 0;
};

}  // namespace

void check_streams(const HistoryIndex& index, const CheckerOptions& options, Findings& findings) {
  const std::int64_t complete_before =
      healed_at(index) + std::chrono::nanoseconds(options.complete_within).count();
  for (const ClientLife& life : lives_of(index.history())) {
    StreamWalk(life, index, complete_before, findings).walk();
  }
}

}  // namespace vibes::verify
