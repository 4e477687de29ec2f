// SPDX-License-Identifier: MIT
#include "eventlog/remote/replica.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "io/file_system.hpp"
#include "io/replace_file.hpp"

namespace vibes::eventlog::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto kSaveEvery = 5s;
constexpr std::size_t kOutstandingMax = 4'096;
constexpr std::size_t kForeignKept = 1'024;
constexpr std::size_t kLookedAt = 1'000;  // messages, for where a trimmed stream begins
constexpr std::size_t kBeginningsTried = 16;
/// What is lost on the way to this disk comes from the stream again.
constexpr DurabilityPolicy kLazy{.kind = DurabilityPolicy::Kind::interval, .interval = 1s};

/// A batch as far as its place in the log goes.
struct Extent {
  Offset first;
  Offset end;
};

/// The batches behind `sequence`, the first ones of a stream that ends at `last`.
Result<std::vector<Extent>> first_batches(RemoteStream& stream, std::uint64_t sequence,
                                          std::uint64_t last) {
  std::vector<Extent> batches;
  while (sequence < last && batches.size() < kLookedAt) {
    VIBES_TRY_ASSIGN(messages, stream.follow(sequence, limits::kEngineRequestWithin, {}));
    if (messages.empty()) {
      return fail(Errc::unreachable, stream.url() + ": its messages do not come");
    }
    for (const RemoteMessage& message : messages) {
      if (message.batch) {
        batches.push_back({message.batch->first, message.batch->end()});
      }
    }
    sequence = messages.back().sequence;
  }
  return batches;
}

std::size_t count_following(std::span<const Extent> batches, Offset next) {
  std::size_t count = 0;
  for (const Extent& batch : batches) {
    if (batch.first == next) {
      next = batch.end;
      ++count;
    }
  }
  return count;
}

/// Where a log begins whose beginning is gone. The first message that is left may be one that came
/// too late in a race and does not count; then those behind it do not follow from it.
std::optional<Offset> find_beginning(std::span<const Extent> batches) {
  std::optional<Offset> best;
  std::size_t most = 0;
  for (const Extent& batch : batches.first(std::min(batches.size(), kBeginningsTried))) {
    const std::size_t following = count_following(batches, batch.first);
    if (following > most) {
      most = following;
      best = batch.first;
    }
  }
  return best;
}

Result<Timestamp> time_of_last(EventLog& log) {
  VIBES_TRY_ASSIGN(reader, log.reader(End{}));
  VIBES_TRY_ASSIGN(batch, reader->read_back({.events_max = 1}));
  return batch.events.empty() ? Timestamp{} : batch.events.front().time;
}

}  // namespace

Replica::Replica(std::string directory, const LogOptions& options)
    : directory_(std::move(directory)), options_(options) {
  options_.durability = kLazy;
}

io::FileSystem& Replica::files() const {
  return options_.file_system != nullptr ? *options_.file_system : io::posix_file_system();
}

std::string Replica::log_url() const {
  return directory_.empty() ? "memory:" : "file:" + directory_ + "/log";
}

Result<std::unique_ptr<Replica>> Replica::open(RemoteStream& stream, const StreamFacts& facts,
                                               std::string directory, const LogOptions& options) {
  std::unique_ptr<Replica> replica(new Replica(std::move(directory), options));
  VIBES_TRY(replica->open_log(stream, facts));
  VIBES_TRY(replica->catch_up(stream, facts.last_sequence));
  return replica;
}

Result<void> Replica::open_log(RemoteStream& stream, const StreamFacts& facts) {
  VIBES_TRY_ASSIGN(exists, directory_.empty() ? Result<bool>(false)
                                              : files().exists(directory_ + "/log/DURABLE"));
  if (!exists) {
    return make_new(stream, facts);
  }
  options_.origin = Origin{facts.log_id, Offset{}};
  VIBES_TRY_ASSIGN(log, open_copy_target(log_url(), options_));
  const std::uint64_t saved = load_sequence(log->end());
  if (saved > facts.last_sequence) {
    return fail(Errc::other_settings,
                fmt::format("{} ends at message {}, and {} has seen message {}: the stream was put "
                            "back to an earlier state; move that directory away to take its word",
                            stream.url(), facts.last_sequence, directory_, saved));
  }
  const std::uint64_t from = std::max(saved, facts.first_sequence - 1);
  if (from > saved) {
    VIBES_TRY_ASSIGN(batches, first_batches(stream, from, facts.last_sequence));
    const auto beginning = find_beginning(batches);
    if (beginning && *beginning > log->end()) {
      report_ = fmt::format(
          "events {} to {} left the stream before they were copied; the copy that ends before them "
          "is now {}/log.until-{}",
          log->end().value(), beginning->value(), directory_, log->end().value());
      const std::string aside = fmt::format("{}/log.until-{}", directory_, log->end().value());
      VIBES_TRY(log->close());
      log.reset();
      VIBES_TRY(files().rename(directory_ + "/log", aside));
      return make_new(stream, facts);
    }
  }
  VIBES_TRY_ASSIGN(last_time, time_of_last(*log));
  log_ = std::move(log);
  next_ = log_->end();
  const MutexLock lock(mutex_);
  last_time_ = last_time;
  position_ = {from, next_};
  handed_over_ = from;
  return {};
}

Result<void> Replica::make_new(RemoteStream& stream, const StreamFacts& facts) {
  if (facts.first_sequence > 1) {
    VIBES_TRY_ASSIGN(batches, first_batches(stream, facts.first_sequence - 1, facts.last_sequence));
    const auto beginning = find_beginning(batches);
    if (!beginning) {
      return fail(
          Errc::other_settings,
          fmt::format("{} has lost all of its messages, {} of them, and nothing here knows at "
                      "which offset it ended; remove the stream to begin anew",
                      stream.url(), facts.last_sequence));
    }
    next_ = *beginning;
  }
  options_.origin = Origin{facts.log_id, next_};
  VIBES_TRY_ASSIGN(log, open_copy_target(log_url(), options_));
  log_ = std::move(log);
  const MutexLock lock(mutex_);
  position_ = {facts.first_sequence - 1, next_};
  handed_over_ = facts.first_sequence - 1;
  return {};
}

Result<void> Replica::catch_up(RemoteStream& stream, std::uint64_t last_sequence) {
  std::uint64_t at = position().sequence;
  while (at < last_sequence) {
    VIBES_TRY_ASSIGN(messages, stream.follow(at, limits::kEngineRequestWithin, {}));
    if (messages.empty()) {
      return fail(Errc::unreachable, fmt::format("{}: message {} of {} does not come", stream.url(),
                                                 at + 1, last_sequence));
    }
    at = messages.back().sequence;
    VIBES_TRY(apply(std::move(messages)));
  }
  drain();
  return {};
}

Result<void> Replica::apply(std::vector<RemoteMessage> messages) {
  for (RemoteMessage& message : messages) {
    const std::uint64_t sequence = message.sequence;
    VIBES_TRY(take(std::move(message)));
    handed_over_ = sequence;
  }
  save_now_and_then();
  const MutexLock lock(mutex_);
  return failed_ ? Result<void>(fail(*failed_)) : Result<void>();
}

Result<void> Replica::take(RemoteMessage message) {
  if (message.batch && message.batch->first == next_) {
    return append(message.sequence, *std::move(message.batch));
  }
  if (message.batch && message.batch->first > next_ && message.sequence > handed_over_ + 1) {
    return fail(Errc::corrupt,
                fmt::format("messages {} to {} left the stream before they were copied, with the "
                            "events from {} to {}",
                            handed_over_ + 1, message.sequence, next_.value(),
                            message.batch->first.value()));
  }
  // What was copied before, what is none of ours, and what lost a race and is in the stream for
  // nothing.
  if (message.asks_for_turn) {
    if (turn_listener_) {
      turn_listener_();
    }
  } else if (!message.batch) {
    const MutexLock lock(mutex_);
    ++foreign_;
    why_foreign_.emplace(message.sequence, std::move(message.foreign));
    if (why_foreign_.size() > kForeignKept) {
      why_foreign_.erase(why_foreign_.begin());
    }
  }
  pass(message.sequence);
  return {};
}

void Replica::pass(std::uint64_t sequence) {
  Applied applied;
  {
    const MutexLock lock(mutex_);
    if (!outstanding_.empty()) {
      outstanding_.back() = sequence;
      return;
    }
    position_.sequence = sequence;
    applied = applied_listener_;
  }
  if (applied) {
    applied(sequence);
  }
}

Result<void> Replica::append(std::uint64_t sequence, RemoteBatch batch) {
  {
    MutexLock lock(mutex_);
    while (outstanding_.size() >= kOutstandingMax && !failed_) {
      changed_.wait(lock);
    }
    if (failed_) {
      return fail(*failed_);
    }
    outstanding_.push_back(sequence);
    last_time_ = std::max(last_time_, batch.time);
  }
  next_ = batch.end();
  const auto done = [this](const Result<AppendReceipt>& receipt) { note_applied(receipt); };
  while (true) {
    // A copy, for the log may not take it at once.
    const auto taken = log_->append_recorded(batch.events, batch.time, done);
    if (taken) {
      return {};
    }
    MutexLock lock(mutex_);
    if (taken.error().code != Errc::queue_full || outstanding_.size() == 1) {
      outstanding_.pop_back();
      failed_ = taken.error();
      changed_.notify_all();
      return fail(taken.error());
    }
    changed_.wait(lock);
  }
}

void Replica::note_applied(const Result<AppendReceipt>& receipt) {
  std::uint64_t sequence = 0;
  Applied applied;
  {
    const MutexLock lock(mutex_);
    sequence = outstanding_.front();
    outstanding_.pop_front();
    if (!receipt) {
      failed_ = receipt.error();
    } else if (receipt->duplicates() > 0) {
      failed_ = Error{Errc::corrupt,
                      fmt::format("message {} of the stream has an event_id twice", sequence)};
    }
    if (!failed_) {
      position_ = {sequence, receipt->places.back().offset + 1};
    }
    changed_.notify_all();
    if (failed_) {
      return;
    }
    applied = applied_listener_;
  }
  if (applied) {
    applied(sequence);
  }
}

void Replica::retry() {
  drain();
  next_ = log_->end();
  const MutexLock lock(mutex_);
  failed_.reset();
  handed_over_ = position_.sequence;
}

void Replica::drain() {
  MutexLock lock(mutex_);
  while (!outstanding_.empty()) {
    changed_.wait(lock);
  }
}

Replica::Position Replica::position() const {
  const MutexLock lock(mutex_);
  return position_;
}

Timestamp Replica::last_time() const {
  const MutexLock lock(mutex_);
  return last_time_;
}

std::optional<std::string> Replica::why_foreign(std::uint64_t sequence) const {
  const MutexLock lock(mutex_);
  const auto found = why_foreign_.find(sequence);
  return found == why_foreign_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Replica::foreign() const {
  const MutexLock lock(mutex_);
  return foreign_;
}

/// 0, which is always true: the stream is read again from its beginning.
std::uint64_t Replica::load_sequence(Offset end) const {
  const auto file = files().open(directory_ + "/sequence.json", io::OpenMode::read_only);
  if (!file) {
    return 0;
  }
  std::string text(limits::kKiB, '\0');
  const auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
  text.resize(got ? *got : 0);
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool whole = json.is_object() &&
                     json.value("sequence", nlohmann::json()).is_number_unsigned() &&
                     json.value("end", nlohmann::json()).is_number_unsigned();
  // What it speaks of may not have reached the disk.
  return whole && json["end"].get<std::uint64_t>() <= end.value()
             ? json["sequence"].get<std::uint64_t>()
             : 0;
}

Result<void> Replica::save_sequence() {
  if (directory_.empty()) {
    return {};
  }
  const Position at = position();
  const std::string text =
      fmt::format("{{\"sequence\":{},\"end\":{}}}\n", at.sequence, at.end.value());
  return io::replace_file(files(), directory_ + "/sequence.json", text);
}

/// Saves a reading again of what is known; that it fails harms nobody.
void Replica::save_now_and_then() {
  const auto now = std::chrono::steady_clock::now();
  if (now - saved_at_ >= kSaveEvery) {
    saved_at_ = now;
    (void)save_sequence();
  }
}

Result<void> Replica::close() {
  VIBES_TRY(log_->close());
  return save_sequence();
}

}  // namespace vibes::eventlog::remote
