// SPDX-License-Identifier: MIT
// What the check of an event costs, beside the plainest check the JSON library offers.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "event/check.hpp"
#include "options.hpp"
#include "report.hpp"

namespace {

using Clock = std::chrono::steady_clock;

/// About 300 bytes, as an agent's hook sends them.
constexpr const char* kHook =
    R"({"type":"hook","session_id":"3535585c-1cb7-459f-8917-1df1802ce7f8","event":{"type":"pre_tool_use",)"
    R"("session_id":"3535585c-1cb7-459f-8917-1df1802ce7f8","cwd":"/home/u/p","permission_mode":"default",)"
    R"("hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls -la"},"tool_use_id":"toolu_01ABC"}})";

/// Calls per second, the best of three rounds: other processes only ever take time away.
template <class Call>
double per_second(Call call) {
  constexpr int kRounds = 3;
  constexpr std::chrono::milliseconds kRound{300};
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Clock::time_point start = Clock::now();
    std::size_t calls = 0;
    std::chrono::duration<double> passed{};
    while (passed < kRound) {
      for (int i = 0; i < 1'000; ++i) {
        if (!call()) {
          return 0;
        }
      }
      calls += 1'000;
      passed = Clock::now() - start;
    }
    best = std::max(best, static_cast<double>(calls) / passed.count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What the check of an event costs", "bench_check");
  const std::string json = vibes::bench::parse_or_exit(app, argc, argv);
  const std::string event = kHook;
  const std::string broken = event.substr(0, event.size() - 1);
  const double check = per_second([&] { return vibes::event::check(event).has_value(); });
  const double refuse = per_second([&] { return !vibes::event::check(broken).has_value(); });
  const double accept = per_second([&] { return nlohmann::json::accept(event); });
  std::vector<vibes::bench::Figure> figures{
      {"nlohmann_accept", accept, "1/s"},
      {"check", check, "1/s", "nlohmann_accept"},
      {"check_refused", refuse, "1/s", "nlohmann_accept"},
      {"check_ns", 1e9 / check, "ns"},
      {"event_bytes", static_cast<double>(event.size()), "bytes"},
  };
  return vibes::bench::report("check", figures, json);
}
