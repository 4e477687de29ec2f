// SPDX-License-Identifier: MIT
// What this machine allows, whoever asks: the disk's fdatasync, a write, a round trip over
// loopback.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "loopback.hpp"
#include "options.hpp"
#include "report.hpp"

namespace {

using vibes::UniqueFd;
using vibes::bench::Figure;

constexpr std::size_t kEventBytes = 300;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double now_us() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// Calls `once` that many times; microseconds each.
std::vector<double> timed(int times, const std::function<void()>& once) {
  std::vector<double> samples;
  samples.reserve(static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) {
    const double start = now_us();
    once();
    samples.push_back(now_us() - start);
  }
  return samples;
}

UniqueFd scratch_file() {
  std::string path = "vibes-bench-XXXXXX";
  UniqueFd fd(::mkstemp(path.data()));
  if (!fd || ::unlink(path.c_str()) != 0) {
    die("scratch file");
  }
  // As the log does it: space is there before the first write.
  if (::posix_fallocate(fd.get(), 0, 64 << 20) != 0) {
    die("posix_fallocate");
  }
  return fd;
}

void measure_disk(std::vector<Figure>& figures) {
  const UniqueFd fd = scratch_file();
  const std::array<char, kEventBytes> bytes{};
  off_t at = 0;
  const auto write = [&] {
    if (::pwrite(fd.get(), bytes.data(), bytes.size(), at) != static_cast<ssize_t>(bytes.size())) {
      die("pwrite");
    }
    at += static_cast<off_t>(bytes.size());
  };
  auto durable = timed(500, [&] {
    write();
    if (::fdatasync(fd.get()) != 0) {
      die("fdatasync");
    }
  });
  auto plain = timed(20'000, write);
  figures.push_back(
      {"write+fdatasync of 300 bytes, p50", vibes::bench::percentile(durable, 50), "us"});
  figures.push_back(
      {"write+fdatasync of 300 bytes, p99", vibes::bench::percentile(durable, 99), "us"});
  figures.push_back({"write of 300 bytes, p50", vibes::bench::percentile(plain, 50), "us"});
}

void measure_loopback(std::vector<Figure>& figures) {
  auto trips = vibes::bench::loopback_round_trips_us(10'000);
  figures.push_back(
      {"loopback round trip of 300 bytes, p50", vibes::bench::percentile(trips, 50), "us"});
  figures.push_back(
      {"loopback round trip of 300 bytes, p99", vibes::bench::percentile(trips, 99), "us"});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What this machine allows: fdatasync, write, loopback", "bench_machine");
  const std::string json = vibes::bench::parse_or_exit(app, argc, argv);
  std::vector<Figure> figures;
  measure_disk(figures);
  measure_loopback(figures);
  return vibes::bench::report("machine", figures, json);
}
