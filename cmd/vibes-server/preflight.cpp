// SPDX-License-Identifier: MIT
#include "preflight.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/limits.hpp"

namespace vibes::server {

namespace {

// Beside connections and storage: listeners, wake-ups, PTYs, readers' segments.
constexpr std::size_t kFdsOfOurOwn = 512;

}  // namespace

Result<std::size_t> prepare_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail_errno("getrlimit");
  }
  const rlim_t wanted = limits::kConnectionsMax + kFdsOfOurOwn + limits::kFdsReserved;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      return fail_errno("setrlimit");
    }
  }
  if (limit.rlim_cur < limits::kFdsRequired) {
    return fail(std::make_error_code(std::errc::too_many_files_open),
                "at most " + std::to_string(limit.rlim_cur) + " files may be open, " +
                    std::to_string(limits::kFdsRequired) + " are needed (ulimit -n, LimitNOFILE=)");
  }
  const std::size_t left = limit.rlim_cur - kFdsOfOurOwn - limits::kFdsReserved;
  return std::min<std::size_t>(left, limits::kConnectionsMax);
}

mode_t prepare_process() {
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)std::signal(SIGXFSZ, SIG_IGN);
  return ::umask(077);
}

}  // namespace vibes::server
