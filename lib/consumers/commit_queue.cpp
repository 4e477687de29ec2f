// SPDX-License-Identifier: MIT
#include "consumers/commit_queue.hpp"

#include <future>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"

namespace vibes::consumers {

CommitQueue::CommitQueue(Worker worker) : worker_(std::move(worker)), thread_([this] { run(); }) {}

CommitQueue::~CommitQueue() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  pushed_.notify_one();
  thread_.join();
}

Result<void> CommitQueue::push(Work work) {
  const MutexLock lock(mutex_);
  std::size_t& waiting = waiting_[work.group];
  if (waiting == limits::kPendingCommitsMax) {
    return fail(eventlog::Errc::queue_full,
                fmt::format("group {}: {} commits wait for the disk", work.group, waiting));
  }
  ++waiting;
  queue_.push_back(std::move(work));
  pushed_.notify_one();
  return {};
}

Result<Offset> CommitQueue::push_and_wait(Work work) {
  std::promise<Result<Offset>> answer;
  work.done = [&answer](Result<Offset> committed) { answer.set_value(std::move(committed)); };
  VIBES_TRY(push(std::move(work)));
  return answer.get_future().get();
}

void CommitQueue::run() {
  MutexLock lock(mutex_);
  while (true) {
    while (queue_.empty() && !stopping_) {
      pushed_.wait(lock);
    }
    if (queue_.empty()) {
      return;
    }
    std::vector<Work> works = std::exchange(queue_, {});
    waiting_.clear();
    lock.unlock();
    carry_out(std::move(works));
    lock.lock();
  }
}

void CommitQueue::carry_out(std::vector<Work> works) {
  // The commits of a group between two other works of it are one: the last counts, all are
  // answered.
  std::vector<std::vector<Work>> steps;
  std::map<std::string, std::size_t, std::less<>> open;  // the step that may take more commits
  for (Work& work : works) {
    const auto found = open.find(work.group);
    if (work.kind != Work::Kind::commit) {
      open.erase(work.group);
    } else if (found != open.end()) {
      steps[found->second].push_back(std::move(work));
      continue;
    } else {
      open.emplace(work.group, steps.size());
    }
    steps.emplace_back().push_back(std::move(work));
  }
  for (const std::vector<Work>& step : steps) {
    const Result<Offset> result = worker_(step.back());
    for (const Work& work : step) {
      if (work.done) {
        const bool own = result.has_value() && work.kind == Work::Kind::commit;
        work.done(own ? Result<Offset>(work.offset) : result);
      }
    }
  }
}

}  // namespace vibes::consumers
