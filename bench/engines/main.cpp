// SPDX-License-Identifier: MIT
// usage: bench_engines [--through-server] [--runs N] [--seconds S] [--json FILE]
//
// The same load on every engine: in memory, in files, and in NATS and Apache Iggy, whose servers
// this starts for itself. Iggy is left out where its server ($IGGY_SERVER, else iggy-server in
// $PATH) cannot run. In this process, or through a real vibes-server.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "engines/iggy_server_here.hpp"
#include "engines/in_process.hpp"
#include "engines/open.hpp"
#include "engines/through_server.hpp"
#include "measure_options.hpp"
#include "options.hpp"
#include "peers/programs.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace vibes::bench {
namespace {

/// Next to nobody else's, in the current directory.
std::filesystem::path directory_of(const std::string& engine) {
  return std::filesystem::current_path() /
         ("vibes-bench-" + engine + "-" + std::to_string(::getpid()));
}

EngineCase make_case(const std::string& name, const PeerProcess* nats,
                     const std::filesystem::path& iggy) {
  if (nats != nullptr) {
    return {name, "nats://127.0.0.1:" + std::to_string(nats->port()) + "/bench"};
  }
  if (name == "iggy") {
    return {name, "iggy:" + iggy.string()};
  }
  if (name == "memory") {
    return {name, "memory:"};
  }
  return {name, "", name.substr(name.find(' ') + 1)};
}

void run_in_process(Table& table, const MeasureOptions& plan) {
  const Scratch scratch({std::filesystem::current_path()});
  for (unsigned run = 0; run < plan.runs; ++run) {
    for (const std::string& name : plan.only) {
      const std::filesystem::path directory = scratch.path(0) / "log";
      std::filesystem::create_directories(directory);
      std::unique_ptr<PeerProcess> nats;
      if (name == "nats") {
        nats = start_nats(scratch.path(0) / "nats");
      }
      EngineCase engine = make_case(name, nats.get(), directory / "iggy");
      if (engine.url.empty()) {
        engine.url = "file:" + (directory / "events").string();
      }
      measure_in_process(table, engine, directory, plan.seconds);
      std::filesystem::remove_all(directory);
    }
  }
}

// The server's process has its scratch directory, of which there is one at a time: after a signal
// those of NATS and Iggy stay.
void run_through_server(Table& table, const MeasureOptions& plan) {
  for (unsigned run = 0; run < plan.runs; ++run) {
    for (const std::string& name : plan.only) {
      std::unique_ptr<PeerProcess> nats;
      if (name == "nats") {
        nats = start_nats(directory_of(name));
      }
      const EngineCase engine = make_case(name, nats.get(), directory_of("iggy"));
      measure_through_server(table, engine, plan.server, plan.seconds);
      std::filesystem::remove_all(directory_of("iggy"));
    }
  }
}

/// Takes Iggy off the plan where it cannot run, and says why.
std::vector<Figure> leave_out(MeasureOptions& plan) {
  if (!plan.wants("iggy")) {
    return {};
  }
  const auto why = why_no_iggy(directory_of("iggy"));
  if (!why) {
    return {};
  }
  std::erase(plan.only, "iggy");
  Figure row;
  row.name = "iggy";
  row.left_out = *why;
  return {row};
}

double load_average() {
  std::array<double, 1> load{};
  return ::getloadavg(load.data(), 1) == 1 ? load[0] : -1;
}

int run(int argc, char** argv) {
  MeasureOptions plan{
      .runs = 3, .seconds = 2, .only = {kYardstick, "file os", "memory", "nats", "iggy"}};
  CLI::App app("The same load on every engine of the log", "bench_engines");
  bool through_server = false;
  app.add_flag("--through-server", through_server,
               "Through a vibes-server, with a client at the firehose");
  add_measure_options(app, plan, "The engines to measure");
  const std::string json = parse_or_exit(app, argc, argv);
  plan.server = std::filesystem::absolute(plan.server);
  const std::vector<Figure> left_out = leave_out(plan);
  const double load_before = load_average();
  Table table;
  if (through_server) {
    run_through_server(table, plan);
  } else {
    run_in_process(table, plan);
    engines::close_libraries();
  }
  std::vector<Figure> figures = table.figures();
  figures.insert(figures.end(), left_out.begin(), left_out.end());
  figures.push_back({"load average of the machine before", load_before, ""});
  figures.push_back({"load average of the machine after", load_average(), ""});
  return report(through_server ? "engines through a server" : "engines", figures, json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
