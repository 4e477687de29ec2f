// SPDX-License-Identifier: MIT
// What this machine allows, whoever asks: the disk's fdatasync, a write, a round trip over
// loopback.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
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

void answer(int fd) {
  std::array<char, kEventBytes> bytes{};
  while (::recv(fd, bytes.data(), bytes.size(), MSG_WAITALL) ==
         static_cast<ssize_t>(bytes.size())) {
    (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

struct Pair {
  UniqueFd near;
  UniqueFd far;
};

Pair loopback() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);  // as the socket calls want it
  if (::bind(listener.get(), name, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), name, &size) != 0) {
    die("listen");
  }
  Pair pair{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), UniqueFd()};
  if (::connect(pair.near.get(), name, size) != 0) {
    die("connect");
  }
  pair.far = UniqueFd(::accept(listener.get(), nullptr, nullptr));
  const int on = 1;
  (void)::setsockopt(pair.near.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(pair.far.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return pair;
}

void measure_loopback(std::vector<Figure>& figures) {
  const Pair pair = loopback();
  std::thread peer([fd = pair.far.get()] { answer(fd); });
  std::array<char, kEventBytes> bytes{};
  auto trips = timed(10'000, [&] {
    if (::send(pair.near.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 ||
        ::recv(pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL) < 0) {
      die("loopback");
    }
  });
  ::shutdown(pair.near.get(), SHUT_RDWR);
  peer.join();
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
