// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/mutex.hpp"
#include "eventlog/iggy/client.hpp"
#include "eventlog/iggy/groups_state.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// The groups, in topics of their own, TOPIC-groups and TOPIC-groups-2: each message is where all
/// of them stand and who holds them, and has a number, one more than the one it follows from. Of
/// several with one number the first counts: so of two who change something at the same time, one
/// does, and the other begins again. When a topic is full the next message goes into the other one,
/// and then the first is emptied. Iggy's own consumer offsets count messages, ours events.
///
/// A hold has no time: who wants the group takes it when it has seen the same hold for kHeldFor.
/// Thread-safe.
class Groups final : public remote::RemoteGroups {
 public:
  struct Options {
    std::uint64_t messages_max = 4'096;             // in one topic
    std::chrono::milliseconds held_for = kHeldFor;  // tests wait less
  };

  Groups(const IggyOptions& options, Session& session) : Groups(options, session, Options()) {}
  Groups(const IggyOptions& options, Session& session, Options limits)
      : options_(options),
        topics_(options.groups_topics()),
        limits_(limits),
        client_(options, session) {}

  Result<Offsets> load() override;
  Result<void> store(std::string_view group, Offset next) override;
  Result<void> remove(std::string_view group) override;
  Result<std::optional<std::string>> hold(std::string_view group, std::string_view owner) override;
  Result<void> let_go(std::string_view group, std::string_view owner) override;

  /// Makes the topics.
  Result<void> open();
  /// Requests end.
  void close() { stop_.request_stop(); }

 private:
  using Clockwork = std::chrono::steady_clock;
  /// Where a state was found.
  struct Place {
    std::size_t topic = 0;
    std::uint64_t offset = 0;
  };
  struct SeenHold {
    GroupsState::Hold hold;
    Clockwork::time_point since;
  };
  enum class Change : std::uint8_t { made, unnecessary };
  using Edit = std::function<Change(GroupsState&)>;

  Result<void> fetch() VIBES_REQUIRES(mutex_);
  Result<void> fetch_from(std::size_t topic) VIBES_REQUIRES(mutex_);
  Result<void> fetch_one_by_one(std::size_t topic) VIBES_REQUIRES(mutex_);
  void note_holds() VIBES_REQUIRES(mutex_);
  [[nodiscard]] bool is_held(std::string_view group, const GroupsState::Hold& hold) const
      VIBES_REQUIRES(mutex_);
  Result<void> change(const Edit& edit) VIBES_REQUIRES(mutex_);
  Result<void> send(std::size_t topic, const GroupsState& state) VIBES_REQUIRES(mutex_);
  void empty(std::size_t topic) VIBES_REQUIRES(mutex_);

  const IggyOptions& options_;
  const std::array<std::string, 2> topics_;
  const Options limits_;
  std::stop_source stop_;
  Mutex mutex_;
  Client client_ VIBES_GUARDED_BY(mutex_);
  GroupsState state_ VIBES_GUARDED_BY(mutex_);  // the newest as far as is known
  Place place_ VIBES_GUARDED_BY(mutex_);
  std::map<std::string, SeenHold, std::less<>> holds_ VIBES_GUARDED_BY(mutex_);
};

}  // namespace vibes::eventlog::iggy
