// SPDX-License-Identifier: MIT
// usage: raw_reference PORT FILE
//
// The least that durable appends over TCP can cost, which is the machine's limit and not a product:
// one thread that reads what is there from every connection, writes it with one pwrite into a file
// that was written full of zeros before, so that no metadata changes, calls fdatasync once and
// acknowledges. An event is a length of four bytes, least first, and as many bytes; an ack is a
// count of four bytes. Nothing is checked and nothing can be read back. Runs until it is killed.
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

constexpr std::size_t kFileBytes = 64U << 20U;     // then from its start again
constexpr std::size_t kRoundBytes = 4U << 20U;     // at most that much per connection and round
constexpr std::size_t kReadBytes = 1U << 20U;      // what one read takes
constexpr std::size_t kLength = sizeof(uint32_t);  // before each event

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  std::string rest = {};  // the start of an event
  std::uint32_t events = 0;
};

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 1'024) != 0) {
    die("listen");
  }
  return fd;
}

int zero_written_file(const char* path) {
  const int fd = ::open(path, O_CREAT | O_RDWR, 0600);
  const std::string zeros(1U << 20U, '\0');
  for (std::size_t at = 0; at < kFileBytes; at += zeros.size()) {
    if (::pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) < 0) {
      die(path);
    }
  }
  if (::fsync(fd) != 0) {
    die("fsync");
  }
  return fd;
}

/// How many bytes of `bytes` are whole events; counts them.
std::size_t whole_events(const std::string& bytes, std::uint32_t& events) {
  std::size_t at = 0;
  while (bytes.size() - at >= kLength) {
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + at, kLength);
    if (bytes.size() - at < kLength + length) {
      break;
    }
    at += kLength + length;
    ++events;
  }
  return at;
}

/// Appends the whole events that have come to `round`. False: the connection is over.
bool read_events(Connection& from, std::string& round) {
  static std::vector<char> piece(kReadBytes);
  for (std::size_t all = 0; all < kRoundBytes;) {
    const ssize_t got = ::recv(from.fd, piece.data(), piece.size(), 0);
    if (got <= 0) {
      return got < 0 && errno == EAGAIN;
    }
    from.rest.append(piece.data(), static_cast<std::size_t>(got));
    const std::size_t whole = whole_events(from.rest, from.events);
    round.append(from.rest, 0, whole);
    from.rest.erase(0, whole);
    all += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < piece.size()) {
      break;
    }
  }
  return true;
}

void write_durably(int file, const std::string& round, std::size_t& at) {
  if (at + round.size() > kFileBytes) {
    at = 0;
  }
  if (::pwrite(file, round.data(), round.size(), static_cast<off_t>(at)) !=
          static_cast<ssize_t>(round.size()) ||
      ::fdatasync(file) != 0) {
    die("write");
  }
  at += round.size();
}

void accept_all(int listener, int epoll) {
  for (int fd = -1; (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{EPOLLIN, {.ptr = new Connection{fd}}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

[[noreturn]] void serve(int listener, int file) {
  const int epoll = ::epoll_create1(0);
  epoll_event own{EPOLLIN, {.ptr = nullptr}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &own);
  std::array<epoll_event, 256> ready{};
  std::string round;
  for (std::size_t at = 0;;) {
    const int count = ::epoll_wait(epoll, ready.data(), ready.size(), -1);
    round.clear();
    std::vector<Connection*> heard;
    for (int i = 0; i < count; ++i) {
      auto* const from = static_cast<Connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
      if (from == nullptr) {
        accept_all(listener, epoll);
      } else if (read_events(*from, round)) {
        heard.push_back(from);
      } else {
        ::close(from->fd);
        delete from;
      }
    }
    if (!round.empty()) {
      write_durably(file, round, at);
    }
    for (Connection* const from : heard) {
      if (from->events > 0 && ::send(from->fd, &from->events, kLength, MSG_NOSIGNAL) < 0) {
        continue;  // the next read says that it is over
      }
      from->events = 0;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: raw_reference PORT FILE\n", stderr);
    return 2;
  }
  const int file = zero_written_file(argv[2]);
  serve(listen_on(std::atoi(argv[1])), file);
}
