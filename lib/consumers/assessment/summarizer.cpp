// SPDX-License-Identifier: MIT
#include "consumers/assessment/summarizer.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <sys/eventfd.h>
#include <utility>

#include <unistd.h>

#include "base/limits.hpp"
#include "consumers/assessment/summary_prompt.hpp"
#include "consumers/assessment/summary_request.hpp"
#include "eventlog/errc.hpp"

namespace vibes::consumers::assessment {

Summarizer::Summarizer(eventlog::EventLog& log, const BackendOptions& options)
    : log_(log),
      backend_(options),
      waiting_max_(options.waiting_max),
      stopping_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Summarizer::~Summarizer() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  (void)!::write(stopping_.get(), &one, sizeof one);
  { const MutexLock lock(mutex_); }
  changed_.notify_all();
}

Summarizer::Asked Summarizer::ask(AssessmentResult request) {
  {
    const MutexLock lock(mutex_);
    if (std::ranges::any_of(requests_,
                            [&](const auto& one) { return one.event_id == request.event_id; })) {
      return Asked::yes;
    }
    if (requests_.size() >= waiting_max_) {
      return Asked::too_many;
    }
    requests_.push_back(std::move(request));
  }
  changed_.notify_one();
  return Asked::yes;
}

Summarizer::Waiting Summarizer::waiting() const {
  const MutexLock lock(mutex_);
  return {{requests_.begin(), requests_.end()}, finished_, conflicts_};
}

void Summarizer::work(const std::stop_token& stop) {
  while (const auto request = next(stop)) {
    // It may have been appended before a crash that kept us from noting so.
    if (log_.resolve(eventlog::AtEventId{*request->event_id})) {
      finish(Appended::yes);
      continue;
    }
    const auto result = summarise(*request, stop);
    if (!result) {
      return;
    }
    const Appended how = append(*result, stop);
    if (how == Appended::stopped) {
      return;
    }
    finish(how);
  }
}

/// The oldest that waits; nothing: we stop.
std::optional<AssessmentResult> Summarizer::next(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (requests_.empty() && !stop.stop_requested()) {
    changed_.wait(lock);
  }
  return stop.stop_requested() ? std::nullopt : std::optional(requests_.front());
}

std::optional<event::NewEvent> Summarizer::summarise(const AssessmentResult& request,
                                                     const std::stop_token& stop) const {
  const std::string prompt = make_prompt(log_, request, stop);
  const auto answer = backend_.ask(prompt, stopping_.get());
  if (!answer) {
    return std::nullopt;
  }
  return *answer ? told_by_model(request, **answer)
                 : told_by_rule(request, answer->error().context);
}

/// Until it is durable: a log that has no room now may have some later.
Summarizer::Appended Summarizer::append(const event::NewEvent& result,
                                        const std::stop_token& stop) {
  std::chrono::milliseconds pause = limits::kRetryFirst;
  while (!stop.stop_requested()) {
    const auto appended = append_once(result);
    if (appended) {
      return Appended::yes;
    }
    if (appended.error().code == eventlog::Errc::event_id_conflict) {
      return Appended::conflict;
    }
    pause_unless(stopping_.get(), pause);
    pause = std::min(pause * 2, limits::kRetryLast);
  }
  return Appended::stopped;
}

Result<void> Summarizer::append_once(const event::NewEvent& result) {
  // Shared: the log may still hold its half when we have ours.
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  VIBES_TRY(log_.append({result}, [answer](const Result<eventlog::AppendReceipt>& receipt) {
    answer->set_value(receipt ? Result<void>() : fail(receipt.error()));
  }));
  return answer->get_future().get();
}

void Summarizer::finish(Appended how) {
  const MutexLock lock(mutex_);
  requests_.pop_front();
  ++finished_;
  conflicts_ += how == Appended::conflict ? 1 : 0;
}

}  // namespace vibes::consumers::assessment
