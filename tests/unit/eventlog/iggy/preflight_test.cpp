// SPDX-License-Identifier: MIT
#include "eventlog/iggy/preflight.hpp"

#include "support/catch.hpp"

namespace vibes::test {
namespace {

using eventlog::iggy::Machine;

std::string problem_of(const Machine& machine) {
  const auto checked = eventlog::iggy::check_machine(machine);
  return checked ? "" : checked.error().context;
}

Machine good() {
  return {.kernel = "6.1.0-18-amd64",
          .io_uring_disabled = 0,
          .locked_bytes_max = 8'388'608,
          .user = Machine::User::ordinary};
}

}  // namespace

TEST_CASE("iggy preflight: what an Iggy server lacks here is named with what to do", "[iggy]") {
  using Catch::Contains;
  CHECK(problem_of(good()).empty());
  Machine machine = good();
  for (const char* kernel : {"5.19.0", "5.20", "10.0.1-x", "strange"}) {
    machine.kernel = kernel;
    CHECK(problem_of(machine).empty());
  }
  for (const char* kernel : {"5.18.99-generic", "4.19.0", "3.10"}) {
    machine.kernel = kernel;
    CHECK_THAT(problem_of(machine), Contains("needs Linux 5.19"));
  }
  machine = good();
  machine.io_uring_disabled = 1;
  CHECK_THAT(problem_of(machine), Contains("sysctl kernel.io_uring_disabled=0"));
  machine.user = Machine::User::root;
  CHECK(problem_of(machine).empty());
  machine.io_uring_disabled = 2;
  CHECK_THAT(problem_of(machine), Contains("io_uring is switched off"));
  machine = good();
  machine.locked_bytes_max = 65'536;
  CHECK_THAT(problem_of(machine), Contains("ulimit -l"));
  machine.user = Machine::User::root;
  CHECK(problem_of(machine).empty());
  machine = good();
  machine.locked_bytes_max.reset();
  CHECK(problem_of(machine).empty());
}

}  // namespace vibes::test
