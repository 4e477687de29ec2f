// SPDX-License-Identifier: MIT
#include "peers/process.hpp"

#include <csignal>

#include <poll.h>

#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

constexpr const char* kOutput = "output";
constexpr const char* kErrors = "errors";
constexpr int kLookEveryMs = 50;
constexpr int kLooksMax = 600;
constexpr double kIdleCpuUs = 2'500;  // between two looks

Command command_in(const std::filesystem::path& directory, const std::vector<std::string>& words) {
  const std::filesystem::path sockets = directory / "XDG_RUNTIME_DIR";
  std::filesystem::create_directories(sockets);
  std::filesystem::permissions(sockets, std::filesystem::perms::owner_all);
  return {.words = words,
          .environment = environment_in(directory, sockets),
          .standard_output = directory / kOutput,
          .standard_error = directory / kErrors,
          .directory = directory};
}

}  // namespace

PeerProcess::PeerProcess(const std::filesystem::path& directory,
                         const std::vector<std::string>& words, int port)
    : directory_(directory), port_(port), daemon_(command_in(directory, words)) {
  if (!daemon_.await_listener(port)) {
    die(words.at(0) + " did not start: " + contents(directory_ / kOutput) +
        contents(directory_ / kErrors));
  }
}

PeerProcess::~PeerProcess() {
  daemon_.stop(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void PeerProcess::await_idle() const {
  double before = daemon_.cpu_us();
  for (int looks = 0; looks < kLooksMax; ++looks) {
    ::poll(nullptr, 0, kLookEveryMs);
    const double now = daemon_.cpu_us();
    if (now - before < kIdleCpuUs) {
      return;
    }
    before = now;
  }
}

}  // namespace vibes::bench
