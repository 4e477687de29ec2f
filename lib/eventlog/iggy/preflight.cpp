// SPDX-License-Identifier: MIT
#include "eventlog/iggy/preflight.hpp"

#include <cstdio>
#include <fstream>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.hpp"

namespace vibes::eventlog::iggy {
namespace {

constexpr int kKernelMajor = 5;
constexpr int kKernelMinor = 19;
/// Measured: 1 MiB is enough for one ring, 64 KiB, the default of old kernels, is not.
constexpr std::uint64_t kLockedBytesMin = 1 * limits::kMiB;

Unexpected not_possible(const std::string& why) {
  return fail(std::make_error_code(std::errc::not_supported),
              "an Iggy server cannot run here: " + why);
}

}  // namespace

Machine this_machine() {
  Machine machine;
  utsname name{};
  if (::uname(&name) == 0) {
    machine.kernel = static_cast<const char*>(name.release);
  }
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> machine.io_uring_disabled;
  rlimit locked{};
  if (::getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_max != RLIM_INFINITY) {
    machine.locked_bytes_max = locked.rlim_max;
  }
  machine.user = ::geteuid() == 0 ? Machine::User::root : Machine::User::ordinary;
  return machine;
}

Result<void> check_machine(const Machine& machine) {
  int major = 0;
  int minor = 0;
  const bool known = std::sscanf(machine.kernel.c_str(), "%d.%d", &major, &minor) == 2;
  if (known && (major < kKernelMajor || (major == kKernelMajor && minor < kKernelMinor))) {
    return not_possible(
        fmt::format("it needs Linux {}.{}, this is {}; run it on another machine "
                    "and use iggy+http://",
                    kKernelMajor, kKernelMinor, machine.kernel));
  }
  constexpr int kForbidden = 2;
  const bool may = machine.io_uring_disabled == 0 ||
                   (machine.user == Machine::User::root && machine.io_uring_disabled < kForbidden);
  if (!may) {
    return not_possible(
        fmt::format("io_uring is switched off (kernel.io_uring_disabled = {}); "
                    "sysctl kernel.io_uring_disabled=0 allows it",
                    machine.io_uring_disabled));
  }
  if (machine.user != Machine::User::root && machine.locked_bytes_max &&
      *machine.locked_bytes_max < kLockedBytesMin) {
    return not_possible(fmt::format(
        "only {} bytes may be locked in memory, a ring needs {}; raise it with 'ulimit -l', "
        "limits.conf or LimitMEMLOCK=",
        *machine.locked_bytes_max, kLockedBytesMin));
  }
  return {};
}

}  // namespace vibes::eventlog::iggy
