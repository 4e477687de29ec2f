// SPDX-License-Identifier: MIT
// How fast the assessment and the session collector read a log again from its beginning, and in how
// much memory: each in a process of its own, under the runner and with the durable state of the
// daemon.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "consumers/assessment/assessment_consumer.hpp"
#include "consumers/group_registry.hpp"
#include "consumers/group_runner.hpp"
#include "consumers/sessions/session_collector.hpp"
#include "eventlog/open.hpp"
#include "io/file_system.hpp"
#include "options.hpp"
#include "replay_log.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace {

using namespace vibes;
using Clockwork = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bench_replay: error: %s\n", why.c_str());
  std::exit(1);
}

/// What one consumer's process says of itself.
struct Replayed {
  double seconds = 0;
  double peak_mib = 0;
  double results = 0;  // events appended, or transcripts
};

/// Of this program alone: what getrusage says begins with what the parent had at the fork.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      double kib = 0;
      status >> kib;
      return kib / 1'024;
    }
  }
  return 0;
}

consumers::HandlerFactory assess(eventlog::EventLog& log, const std::string& state_file) {
  using namespace consumers::assessment;
  return [&log, state_file](Offset start) -> std::unique_ptr<consumers::Handler> {
    auto opened =
        AssessmentConsumer::open(log, io::posix_file_system(), state_file, Patterns(), start);
    if (!opened) {
      throw std::runtime_error(opened.error().message());
    }
    return *std::move(opened);
  };
}

std::uint64_t transcripts_in(const std::filesystem::path& directory) {
  std::uint64_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    count += static_cast<std::uint64_t>(file.path().extension() == ".json");
  }
  return count;
}

/// Runs `consumer` over the log in DIR/log until its commit has reached what was the log's end.
Replayed replay(const std::string& consumer, const std::string& dir) {
  eventlog::LogOptions options;
  options.free_disk_floor_bytes = 0;
  auto log = eventlog::open_log("file:" + dir + "/log", options);
  if (!log) {
    die(log.error().message());
  }
  auto registry = consumers::GroupRegistry::open(**log, {dir + "/dead", nullptr, nullptr});
  if (!registry) {
    die(registry.error().message());
  }
  consumers::TranscriptStore store(dir + "/transcripts", io::posix_file_system());
  const Offset end = (*log)->end();
  const auto start = Clockwork::now();
  {
    consumers::RunnerOptions runner_options;
    runner_options.group = consumer;
    const consumers::GroupRunner runner(**log, **registry,
                                        consumer == "assessment"
                                            ? assess(**log, dir + "/assessment.json")
                                            : consumers::collect_sessions(store, **log),
                                        runner_options);
    while ((*log)->group_offsets().committed(consumer).value_or(Offset(0)) < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  const double seconds = std::chrono::duration<double>(Clockwork::now() - start).count();
  const std::uint64_t results =
      consumer == "assessment" ? (*log)->end() - end : transcripts_in(dir + "/transcripts");
  return {seconds, peak_mib(), static_cast<double>(results)};
}

int be_child(const std::string& consumer, const std::string& dir) {
  const Replayed done = replay(consumer, dir);
  std::printf("%.6f %.3f %.0f\n", done.seconds, done.peak_mib, done.results);
  return 0;
}

/// Of the process that replays; -1: none.
std::atomic<pid_t> child_pid = -1;

std::atomic<bool> stopped_by_signal = false;

void stop_child() {
  stopped_by_signal = true;
  if (const pid_t pid = child_pid; pid > 0) {
    ::kill(pid, SIGKILL);
  }
}

/// The same in a new process over a copy of the log, which the assessment's results go to.
Replayed replay_apart(const std::string& consumer, const std::string& scratch,
                      const std::string& log) {
  namespace fs = std::filesystem;
  const std::string dir = scratch + "/" + consumer;
  fs::create_directories(dir);
  fs::permissions(dir, fs::perms::owner_all);
  fs::copy(log, dir + "/log", fs::copy_options::recursive);
  std::array<int, 2> said{};
  if (::pipe(said.data()) != 0) {
    die("no pipe");
  }
  child_pid = ::fork();
  if (child_pid == 0) {
    ::dup2(said[1], STDOUT_FILENO);
    ::close(said[0]);
    ::execl("/proc/self/exe", "bench_replay", "--child", consumer.c_str(), "--dir", dir.c_str(),
            nullptr);
    ::_exit(127);
  }
  ::close(said[1]);
  Replayed done;
  std::FILE* const text = ::fdopen(said[0], "r");
  const int read = std::fscanf(text, "%lf %lf %lf", &done.seconds, &done.peak_mib, &done.results);
  (void)std::fclose(text);
  ::waitpid(child_pid.exchange(-1), nullptr, 0);
  while (stopped_by_signal) {
    ::pause();  // Scratch ends this program, once it has removed what is there
  }
  if (read != 3) {
    die(consumer + ": it did not come to the end");
  }
  fs::remove_all(dir);
  return done;
}

void measure(const std::string& scratch, const bench::ReplayLog& what,
             const std::vector<std::string>& consumers, std::vector<bench::Figure>& figures) {
  const std::string log = scratch + "/log";
  bench::make_replay_log(log, what);
  for (const std::string& consumer : consumers) {
    const Replayed done = replay_apart(consumer, scratch, log);
    const std::string name = fmt::format("{}, {} sessions", consumer, what.sessions);
    figures.push_back({name, static_cast<double>(what.events) / done.seconds, "1/s"});
    figures.push_back({name + ", all of it", done.seconds, "s"});
    figures.push_back({name + ", peak memory", done.peak_mib, "MiB"});
    figures.push_back({name + ", results", done.results, ""});
  }
  std::filesystem::remove_all(log);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("How fast, and in how much memory, consumers read a log again", "bench_replay");
  std::uint64_t events = 1'000'000;
  std::vector<std::size_t> sessions{200, 2'000};
  std::vector<std::string> consumers{"sessions", "assessment"};
  std::string dir = std::filesystem::temp_directory_path();
  std::string child;
  app.add_option("--events", events, "In the log")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--sessions", sessions, "That speak in turn; a log for each number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--consumer", consumers, "To measure")
      ->check(CLI::IsMember({"sessions", "assessment"}))
      ->capture_default_str();
  app.add_option("--dir", dir, "Where the logs are made and removed again")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--child", child)->group("");  // hidden: what this program runs of itself
  const std::string json = bench::parse_or_exit(app, argc, argv);
  if (!child.empty()) {
    return be_child(child, dir);
  }
  const bench::Scratch scratch({dir}, stop_child);
  std::vector<bench::Figure> figures;
  for (const std::size_t count : sessions) {
    measure(scratch.path(0), {events, count}, consumers, figures);
  }
  return bench::report("replay", figures, json);
}
