// SPDX-License-Identifier: MIT
#include "peers/limits.hpp"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"
#include "report.hpp"

namespace vibes::bench {
namespace {

struct Pair {
  UniqueFd near;
  UniqueFd far;
};

Pair connected_pair() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0) {
    die("listen");
  }
  Pair pair{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), UniqueFd()};
  if (::connect(pair.near.get(), generic, size) != 0) {
    die("connect");
  }
  pair.far = UniqueFd(::accept(listener.get(), nullptr, nullptr));
  const int on = 1;
  ::setsockopt(pair.near.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(pair.far.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return pair;
}

void echo(int fd) {
  std::array<char, kEventBytes> bytes{};
  while (::recv(fd, bytes.data(), bytes.size(), MSG_WAITALL) ==
             static_cast<ssize_t>(bytes.size()) &&
         ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
  }
}

}  // namespace

void settle(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_CLOEXEC));
  if (::syncfs(fd.get()) != 0) {
    die("syncfs");
  }
}

double write_and_sync_p50_us(const std::filesystem::path& directory) {
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
  }
  return percentile(samples, 50);
}

double loopback_round_trip_p50_us() {
  constexpr int kTimes = 3'000;
  const Pair pair = connected_pair();
  std::jthread peer([&pair] { echo(pair.far.get()); });
  std::array<char, kEventBytes> bytes{};
  std::vector<double> samples;
  for (int i = 0; i < kTimes; ++i) {
    const double start = now_us();
    if (::send(pair.near.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 ||
        ::recv(pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL) < 0) {
      die("loopback");
    }
    samples.push_back(now_us() - start);
  }
  ::shutdown(pair.near.get(), SHUT_RDWR);
  return percentile(samples, 50);
}

}  // namespace vibes::bench
