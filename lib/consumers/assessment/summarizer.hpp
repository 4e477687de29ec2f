// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/unique_fd.hpp"
#include "consumers/assessment/model_backend.hpp"
#include "consumers/assessment/results.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers::assessment {

/// Asks a model for the summaries of results, one after the other, and appends each result once it
/// has one, or a reason why there is none. What it was given and what is not durable yet is in
/// waiting(): whoever saves that and gives it back after a crash loses nothing.
///
/// Threads: a thread of its own reads the log, runs the command and appends; it takes the oldest
/// request by copy and removes it when the log has it, and no other removes any. The mutex guards
/// the queue alone and is never held while something is waited for. ask() and waiting() may be
/// called by any thread and do not wait for the model.
class Summarizer {
 public:
  /// The log must outlive it.
  Summarizer(eventlog::EventLog& log, const BackendOptions& options);
  Summarizer(const Summarizer&) = delete;
  Summarizer& operator=(const Summarizer&) = delete;
  /// Kills the command that runs. What waits is lost here: it is in waiting().
  ~Summarizer();

  enum class Asked : std::uint8_t { yes, too_many };
  /// Takes a result to append, unless too many wait already. One that waits is not taken twice.
  Asked ask(AssessmentResult request);

  struct Waiting {
    std::vector<AssessmentResult> requests;  // in the order in which they were asked
    std::uint64_t finished = 0;              // that have left, ever
    std::uint64_t conflicts = 0;  // of those: the log had another result under the id already
  };
  [[nodiscard]] Waiting waiting() const;

 private:
  enum class Appended : std::uint8_t { yes, conflict, stopped };

  void work(const std::stop_token& stop);
  std::optional<AssessmentResult> next(const std::stop_token& stop);
  std::optional<event::NewEvent> summarise(const AssessmentResult& request,
                                           const std::stop_token& stop) const;
  Appended append(const event::NewEvent& result, const std::stop_token& stop);
  Result<void> append_once(const event::NewEvent& result);
  void finish(Appended how);

  eventlog::EventLog& log_;
  const ModelBackend backend_;
  const std::size_t waiting_max_;
  UniqueFd stopping_;  // eventfd(2)
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<AssessmentResult> requests_ VIBES_GUARDED_BY(mutex_);  // the first is worked on
  std::uint64_t finished_ VIBES_GUARDED_BY(mutex_) = 0;
  std::uint64_t conflicts_ VIBES_GUARDED_BY(mutex_) = 0;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace vibes::consumers::assessment
