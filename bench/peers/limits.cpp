// SPDX-License-Identifier: MIT
#include "peers/limits.hpp"

#include <algorithm>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "loopback.hpp"
#include "peers/crowd.hpp"
#include "peers/wire.hpp"
#include "report.hpp"

namespace vibes::bench {

void settle(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_CLOEXEC));
  if (::syncfs(fd.get()) != 0) {
    die("syncfs");
  }
}

void warm_memory() {
  constexpr std::size_t kWarmBytes = 1UL << 30U;  // more than the fastest writes in a second
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto free = static_cast<std::size_t>(::sysconf(_SC_AVPHYS_PAGES)) * page;
  const std::size_t bytes = std::min(kWarmBytes, free / 2);
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    die("mmap");
  }
  for (std::size_t at = 0; at < bytes; at += page) {
    static_cast<volatile char*>(memory)[at] = 1;
  }
  ::munmap(memory, bytes);
}

double write_and_sync_p50_us(const std::filesystem::path& directory,
                             std::chrono::microseconds every) {
  constexpr int kTimes = 1'500;
  std::string path = directory / "limit-XXXXXX";
  const UniqueFd fd(::mkstemp(path.data()));
  ::unlink(path.c_str());
  const std::string event = sample_event(1);
  const std::string zeros(event.size() * kTimes, '\0');
  if (::pwrite(fd.get(), zeros.data(), zeros.size(), 0) < 0 || ::fsync(fd.get()) != 0) {
    die("a file of zeros");
  }
  std::vector<double> samples;
  for (int i = 0; i < kTimes; ++i) {
    const double start = now_us();
    if (::pwrite(fd.get(), event.data(), event.size(), static_cast<off_t>(event.size()) * i) < 0 ||
        ::fdatasync(fd.get()) != 0) {
      die("fdatasync");
    }
    samples.push_back(now_us() - start);
    std::this_thread::sleep_for(every - std::chrono::duration<double, std::micro>(samples.back()));
  }
  return percentile(samples, 50);
}

double loopback_round_trip_p50_us() {
  auto samples = loopback_round_trips_us(3'000);
  return percentile(samples, 50);
}

double crowd_send_p50_us(std::size_t receivers) {
  constexpr int kTimes = 1'000;
  constexpr std::chrono::milliseconds kEvery{1};
  const Listener listener;
  Crowd<ByteCounter> crowd;
  std::vector<UniqueFd> senders;
  const std::string event = sample_event(1);
  const int on = 1;
  for (std::size_t i = 0; i < receivers; ++i) {
    crowd.add(connect_to(listener.port()), ByteCounter(event.size()));
    senders.push_back(listener.accept());
    ::setsockopt(senders.back().get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // as servers do
  }
  const std::jthread reader([&] { (void)crowd.read_until(kTimes); });
  std::vector<double> samples;
  for (int i = 0; i < kTimes; ++i) {
    const double start = now_us();
    for (const UniqueFd& sender : senders) {
      send_all(sender.get(), event);
    }
    samples.push_back(now_us() - start);
    std::this_thread::sleep_for(kEvery - std::chrono::duration<double, std::micro>(samples.back()));
  }
  return percentile(samples, 50);
}

}  // namespace vibes::bench
