// SPDX-License-Identifier: MIT
#include "consumers/assessment/assessment_consumer.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "consumers/assessment/errc.hpp"
#include "consumers/assessment/summary_request.hpp"
#include "eventlog/errc.hpp"
#include "io/file_system.hpp"
#include "io/replace_file.hpp"

namespace vibes::consumers::assessment {
namespace {

bool is_head(const nlohmann::json& head, const Uuid& log_id) {
  return head.is_object() && head.contains("next") && head["next"].is_number_unsigned() &&
         head.contains("log_id") && head["log_id"] == to_string(log_id);
}

}  // namespace

/// What the log has yet to answer. Thread-safe.
class AssessmentConsumer::Appends {
 public:
  void begin() {
    const MutexLock lock(mutex_);
    ++outstanding_;
  }

  void end(const Result<eventlog::AppendReceipt>& receipt) {
    const MutexLock lock(mutex_);
    --outstanding_;
    if (!receipt && receipt.error().code == eventlog::Errc::event_id_conflict) {
      ++conflicts_;
    } else if (!receipt) {
      failed_ = receipt.error();
    }
    changed_.notify_all();
  }

  /// An append that was not taken.
  void cancel() {
    const MutexLock lock(mutex_);
    --outstanding_;
  }

  /// Returns once nothing is outstanding: the log answers every append, also when it closes.
  Result<void> wait() {
    MutexLock lock(mutex_);
    while (outstanding_ > 0) {
      changed_.wait(lock);
    }
    if (failed_) {
      return fail(*failed_);
    }
    return {};
  }

  [[nodiscard]] std::uint64_t conflicts() const {
    const MutexLock lock(mutex_);
    return conflicts_;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  std::uint64_t outstanding_ VIBES_GUARDED_BY(mutex_) = 0;
  std::uint64_t conflicts_ VIBES_GUARDED_BY(mutex_) = 0;
  /// Latched: the state is ahead of the log from here on.
  std::optional<Error> failed_ VIBES_GUARDED_BY(mutex_);
};

Result<std::unique_ptr<AssessmentConsumer>> AssessmentConsumer::open(
    eventlog::EventLog& log, io::FileSystem& file_system, std::string state_file, Patterns patterns,
    Offset start, std::optional<BackendOptions> model) {
  std::unique_ptr<AssessmentConsumer> consumer(new AssessmentConsumer(
      log, file_system, std::move(state_file), std::move(patterns), start, std::move(model)));
  if (!consumer->state_file_.empty() && start > log.first()) {
    VIBES_TRY(consumer->load());
  }
  return consumer;
}

AssessmentConsumer::AssessmentConsumer(eventlog::EventLog& log, io::FileSystem& file_system,
                                       std::string state_file, Patterns patterns, Offset start,
                                       std::optional<BackendOptions> model)
    : log_(log),
      file_system_(file_system),
      state_file_(std::move(state_file)),
      assessor_(std::move(patterns)),
      settled_(start),
      appends_(std::make_shared<Appends>()),
      summarizer_(model ? std::make_unique<Summarizer>(log, *std::move(model)) : nullptr) {}

Outcome AssessmentConsumer::handle(const event::EventView& event, std::uint64_t /*attempt*/) {
  if (!unsent_.empty() && sending_ == event.offset) {
    return send();
  }
  if (event.offset < known_ || Assessor::ignores(event.type)) {
    return Outcome::ok();
  }
  auto results = assessor_.fold(event);
  if (!results) {
    return Outcome::reject(results.error().message());
  }
  unsent_ = *std::move(results);
  std::ranges::reverse(unsent_);
  sending_ = event.offset;
  known_ = event.offset + 1;
  saved_ = Saved::no;
  return send();
}

/// The log knows the ids of its newest events by itself. What is assessed again later than that is
/// looked up, and what a model would be asked about.
bool AssessmentConsumer::is_in_log(const event::NewEvent& result) const {
  const bool costly = summarizer_ != nullptr && has_summary(result);
  return (costly || log_.end() - sending_ > limits::kIdempotencyWindowEvents) &&
         log_.resolve(eventlog::AtEventId{*result.event_id}).has_value();
}

// One append each: a conflict refuses a whole batch, and the other results are to stay.
Outcome AssessmentConsumer::send() {
  while (!unsent_.empty()) {
    if (is_in_log(unsent_.back())) {
      unsent_.pop_back();
      continue;
    }
    if (const auto taken = hand_over(unsent_.back()); !taken) {
      return Outcome::retry(taken.error().message());
    }
    unsent_.pop_back();
  }
  return Outcome::ok();
}

Result<void> AssessmentConsumer::hand_over(const AssessmentResult& result) {
  if (summarizer_ == nullptr || !has_summary(result)) {
    return append(result);
  }
  if (summarizer_->ask(result) == Summarizer::Asked::too_many) {
    return append(told_by_rule(result, "too many summaries wait for the model"));
  }
  return {};
}

Result<void> AssessmentConsumer::append(const event::NewEvent& result) {
  appends_->begin();
  auto taken =
      log_.append({result}, [appends = appends_](const Result<eventlog::AppendReceipt>& receipt) {
        appends->end(receipt);
      });
  if (!taken) {
    appends_->cancel();
  }
  return taken;
}

Result<Offset> AssessmentConsumer::settle(Offset handled, Occasion occasion) {
  const auto began = std::chrono::steady_clock::now();
  const bool due = pace_.is_due(handled, began) || occasion == Occasion::last;
  if (handled <= settled_ || !due) {
    return settled_;
  }
  VIBES_TRY(appends_->wait());
  // An event whose results are not all sent is not handled, though the state holds it: saved now,
  // the rest of them would be lost.
  if (!unsent_.empty()) {
    return settled_;
  }
  // Not for its own results alone: else each save would be followed by another. An answer is
  // followed by no other.
  const bool answered =
      summarizer_ != nullptr && summarizer_->waiting().finished != finished_saved_;
  if ((saved_ == Saved::no || answered) && !state_file_.empty()) {
    known_ = std::max(known_, handled);
    VIBES_TRY(save(known_));
    pace_.saved(began, std::chrono::steady_clock::now());
    saved_ = Saved::yes;
  }
  settled_ = handled;
  return settled_;
}

std::uint64_t AssessmentConsumer::conflicts() const {
  return appends_->conflicts() + (summarizer_ != nullptr ? summarizer_->waiting().conflicts : 0);
}

Result<void> AssessmentConsumer::load() {
  VIBES_TRY_ASSIGN(exists, file_system_.exists(state_file_));
  if (!exists) {
    return {};
  }
  VIBES_TRY_ASSIGN(file, file_system_.open(state_file_, io::OpenMode::read_only));
  VIBES_TRY_ASSIGN(size, file->size());
  std::string text(size, '\0');
  VIBES_TRY_ASSIGN(got, file->read_at(0, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  // The first line says up to where, the second is the assessor's own.
  const std::size_t newline = text.find('\n');
  const auto head =
      nlohmann::json::parse(text.substr(0, newline), nullptr, /*allow_exceptions=*/false);
  if (newline == std::string::npos || !is_head(head, log_.log_id())) {
    return fail(Errc::bad_state, fmt::format("{}: of another log, or damaged", state_file_));
  }
  VIBES_TRY(assessor_.load(std::string_view(text).substr(newline + 1)));
  known_ = Offset(head["next"].get<std::uint64_t>());
  if (head.contains("asked")) {
    VIBES_TRY_ASSIGN(asked, load_requests(head["asked"].dump()));
    VIBES_TRY(resume(asked));
  }
  return {};
}

/// What waited for a model when the state was saved is handed over again; where there is none any
/// more the rule's summaries do.
Result<void> AssessmentConsumer::resume(const std::vector<AssessmentResult>& asked) {
  for (const AssessmentResult& result : asked) {
    if (!log_.resolve(eventlog::AtEventId{result.event_id.value_or(Uuid{})})) {
      VIBES_TRY(hand_over(result));
    }
  }
  return {};
}

Result<void> AssessmentConsumer::save(Offset next) {
  Summarizer::Waiting waiting;
  if (summarizer_ != nullptr) {
    waiting = summarizer_->waiting();
  }
  const std::string asked =
      waiting.requests.empty() ? "" : ",\"asked\":" + save_requests(waiting.requests);
  const std::string text =
      fmt::format("{{\"log_id\":\"{}\",\"next\":{}{}}}\n{}", to_string(log_.log_id()), next.value(),
                  asked, assessor_.save());
  VIBES_TRY(io::replace_file(file_system_, state_file_, text));
  finished_saved_ = waiting.finished;
  return {};
}

}  // namespace vibes::consumers::assessment
