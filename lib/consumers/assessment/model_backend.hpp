// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "consumers/assessment/model_answer.hpp"

namespace vibes::consumers::assessment {

struct BackendOptions {
  std::string command;                                        // for /bin/sh -c
  std::chrono::milliseconds within = limits::kBackendWithin;  // one try
  std::chrono::milliseconds retry_first{1'000};               // and the double before the third try
  std::size_t waiting_max = limits::kBackendQueueMax;
};

/// The user's model, asked by a command: the prompt on its stdin, the answer on its stdout, and
/// nothing of an event in its command line. In its environment VIBES_HOOKS=off says that a model
/// which is itself an agent is not to record what it does here. What hangs, fails or answers what
/// is no answer is asked again. One thread.
class ModelBackend {
 public:
  explicit ModelBackend(BackendOptions options);

  /// Waits for the answer. Errors: why the last try failed, in `context` alone. Nothing:
  /// `stop_fd` became readable; what ran is killed.
  [[nodiscard]] std::optional<Result<ModelAnswer>> ask(std::string_view prompt, int stop_fd) const;

 private:
  [[nodiscard]] std::optional<Result<ModelAnswer>> try_once(std::string_view prompt,
                                                            int stop_fd) const;

  BackendOptions options_;
};

/// Waits so long, or until `stop_fd` is readable.
void pause_unless(int stop_fd, std::chrono::milliseconds duration);

}  // namespace vibes::consumers::assessment
