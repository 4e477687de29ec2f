// SPDX-License-Identifier: MIT
#include "consumers/assessment/model_backend.hpp"

#include <utility>

#include <poll.h>

#include "base/child_process.hpp"
#include "consumers/assessment/checkpoint_manager.hpp"
#include "consumers/assessment/errc.hpp"

namespace vibes::consumers::assessment {
namespace {

constexpr std::size_t kComplaintBytes = 200;  // of what the command said on stderr
constexpr std::size_t kStderrBytes = 4 * limits::kKiB;

/// "exit status 3: what it said about it".
std::string complaint_of(const ChildEnd& end) {
  const std::string said = first_line(end.err, kComplaintBytes);
  return to_string(end) + (said.empty() ? "" : ": " + said);
}

}  // namespace

ModelBackend::ModelBackend(BackendOptions options) : options_(std::move(options)) {}

std::optional<Result<ModelAnswer>> ModelBackend::ask(std::string_view prompt, int stop_fd) const {
  std::chrono::milliseconds pause = options_.retry_first;
  for (unsigned number = 1;; ++number) {
    auto answer = try_once(prompt, stop_fd);
    if (!answer || *answer || number == limits::kBackendAttemptsMax) {
      return answer;
    }
    pause_unless(stop_fd, pause);
    pause *= 2;
  }
}

std::optional<Result<ModelAnswer>> ModelBackend::try_once(std::string_view prompt,
                                                          int stop_fd) const {
  auto child = ChildProcess::start({.command = options_.command,
                                    .input = prompt,
                                    .environment = {{"VIBES_HOOKS", "off"}},
                                    .out = ChildOptions::Output::capture,
                                    .err = ChildOptions::Output::capture,
                                    .out_bytes_max = limits::kBackendOutputBytesMax,
                                    .err_bytes_max = kStderrBytes});
  if (!child) {
    return Result<ModelAnswer>(fail(child.error()));
  }
  const ChildEnd end = child->wait({.within = options_.within, .stop_fd = stop_fd});
  if (end.kind == ChildEnd::Kind::stopped) {
    return std::nullopt;
  }
  if (!end.succeeded()) {
    return Result<ModelAnswer>(fail(Errc::bad_answer, complaint_of(end)));
  }
  return read_answer(end.out);
}

void pause_unless(int stop_fd, std::chrono::milliseconds duration) {
  pollfd waiting{stop_fd, POLLIN, 0};
  (void)::poll(&waiting, 1, static_cast<int>(duration.count()));
}

}  // namespace vibes::consumers::assessment
