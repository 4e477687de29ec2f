// SPDX-License-Identifier: MIT
#include "eventlog/remote/remote_event_log.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/check_batch.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/remote/owner_name.hpp"
#include "io/file_system.hpp"

namespace vibes::eventlog::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto kFollowWait = 1s;
constexpr auto kTryAgain = 500ms;
constexpr auto kCloseWithin = 5s;

}  // namespace

Result<std::unique_ptr<RemoteEventLog>> RemoteEventLog::open(std::unique_ptr<RemoteStream> stream,
                                                             const LogOptions& options) {
  std::unique_ptr<RemoteEventLog> log(new RemoteEventLog(std::move(stream), options));
  VIBES_TRY(log->start());
  return log;
}

RemoteEventLog::~RemoteEventLog() { (void)close(); }

Result<void> RemoteEventLog::start() {
  VIBES_TRY(stream_->open(options_.engine_within));
  VIBES_TRY_ASSIGN(facts, stream_->facts());
  facts_ = facts;
  const std::string directory = options_.state_directory.empty()
                                    ? std::string()
                                    : options_.state_directory + "/" + to_string(facts.log_id);
  VIBES_TRY_ASSIGN(replica, Replica::open(*stream_, facts, directory, options_));
  replica_ = std::move(replica);
  VIBES_TRY_ASSIGN(owner, owner_name(options_.file_system != nullptr ? *options_.file_system
                                                                     : io::posix_file_system(),
                                     directory));
  groups_ = std::make_unique<RemoteGroupOffsets>(
      stream_->groups(), replica_->log().group_offsets(), [this] { return replica_->log().end(); },
      RemoteGroupOffsets::Options{options_.groups_kept_here, options_.groups_of_each,
                                  std::move(owner)});
  VIBES_TRY(groups_->refresh());
  VIBES_TRY_ASSIGN(outbox, open_outbox(directory));
  const Sequencer::Acks acks{acks_, delivery_acks_};
  sequencer_ = std::make_unique<Sequencer>(
      *stream_, *replica_, acks,
      Sequencer::Options{facts.durability, options_.clock, facts.message_bytes_max,
                         facts.event_overhead_bytes});
  intake_ = std::make_unique<Intake>(*stream_, *sequencer_, acks, std::move(outbox),
                                     options_.engine_patience);
  replica_->on_applied([this](std::uint64_t sequence) { sequencer_->note_applied(sequence); });
  replica_->on_turn_asked([this] { sequencer_->give_way(); });
  stream_->on_connection_changed([this] {
    {
      const MutexLock lock(mutex_);
      ++connection_changes_;
      changed_.notify_all();
    }
    sequencer_->note_connection();
    intake_->note_connection();
    replica_->log().signal().nudge();
  });
  follower_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
  return {};
}

Result<std::unique_ptr<Outbox>> RemoteEventLog::open_outbox(const std::string& directory) {
  if (!options_.outbox) {
    return std::unique_ptr<Outbox>();
  }
  return Outbox::open(directory.empty() ? directory : directory + "/outbox", options_,
                      options_.outbox_bytes_max);
}

Result<void> RemoteEventLog::append(std::vector<event::NewEvent> batch, AppendDone done) {
  return take(std::move(batch), std::nullopt, std::move(done));
}

Result<void> RemoteEventLog::append_recorded(std::vector<event::NewEvent> batch, Timestamp time,
                                             AppendDone done) {
  return take(std::move(batch), time, std::move(done));
}

Result<void> RemoteEventLog::take(std::vector<event::NewEvent> batch,
                                  std::optional<Timestamp> recorded, AppendDone done) {
  VIBES_TRY(check_batch(batch));
  const std::size_t bytes = message_bytes(batch, facts_.event_overhead_bytes);
  if (bytes > facts_.message_bytes_max) {
    return fail(Errc::batch_too_large,
                fmt::format("{} bytes; the engine takes messages of at most {}", bytes,
                            facts_.message_bytes_max));
  }
  return intake_->take({.events = std::move(batch), .bytes = bytes, .recorded = recorded},
                       std::move(done));
}

void RemoteEventLog::follow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto messages = stream_->follow(replica_->handed_over(), kFollowWait, stop);
    const Result<void> applied =
        messages ? replica_->apply(*std::move(messages)) : Result<void>(fail(messages.error()));
    if (!applied && !go_on_after(applied.error(), stop)) {
      return;
    }
    if (applied) {
      const MutexLock lock(mutex_);
      trouble_.reset();
    }
  }
}

/// False: the follower ends, and with it this log.
bool RemoteEventLog::go_on_after(const Error& error, const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return false;
  }
  {
    MutexLock lock(mutex_);
    trouble_ = error;
    if (error.code == Errc::unreachable || error.code == Errc::storage_full) {
      const std::uint64_t before = connection_changes_;
      changed_.wait_for(lock, stop, kTryAgain,
                        [&]() VIBES_REQUIRES(mutex_) { return connection_changes_ != before; });
    }
  }
  if (error.code == Errc::storage_full) {
    replica_->retry();
    return true;
  }
  if (error.code == Errc::unreachable) {
    return true;
  }
  sequencer_->fail_all(error);
  if (options_.on_fatal) {
    options_.on_fatal(error);
  }
  return false;
}

LogStatus RemoteEventLog::status() const {
  LogStatus status = replica_->log().status();
  status.url = stream_->url();
  status.durability = options_.durability;
  status.engine_durability = facts_.durability;
  status.foreign_messages = replica_->foreign();
  status.queued_bytes = sequencer_->queued_bytes();
  status.recovery = replica_->report();
  status.has_outbox = options_.outbox;
  const Outbox::Load waiting = intake_->waiting();
  status.pending_events = waiting.events;
  status.refused_events = waiting.refused;
  const auto outbox_trouble = intake_->trouble();
  const bool is_stuck = intake_->is_stuck();
  const MutexLock lock(mutex_);
  if (closed_) {
    status.state = LogStatus::State::closed;
    status.reason = "closed";
  } else if (trouble_ && trouble_->code != Errc::unreachable) {
    status.state =
        trouble_->code == Errc::storage_full ? LogStatus::State::full : LogStatus::State::failed;
    status.reason = trouble_->message();
  } else if (outbox_trouble) {
    status.state = LogStatus::State::failed;
    status.reason = "the outbox: " + outbox_trouble->message();
  } else if (trouble_ || !stream_->is_connected()) {
    status.state = LogStatus::State::away;
    status.reason = "the engine cannot be reached";
  } else if (is_stuck) {
    status.state = LogStatus::State::away;
    status.reason = "the engine can be reached and does not answer";
  }
  return status;
}

Result<void> RemoteEventLog::close() {
  const MutexLock one_at_a_time(closing_);
  if (closed_ || replica_ == nullptr) {
    return {};
  }
  if (intake_) {
    intake_->close(kCloseWithin);
  }
  follower_.request_stop();
  if (follower_.joinable()) {
    follower_.join();
  }
  groups_->let_go_of_all();
  stream_->close();
  closed_ = true;
  return replica_->close();
}

}  // namespace vibes::eventlog::remote
