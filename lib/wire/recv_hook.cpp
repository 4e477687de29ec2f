// SPDX-License-Identifier: MIT
#include "wire/recv_hook.hpp"

#include <cerrno>
#include <exception>
#include <sys/socket.h>
#include <unordered_map>

namespace vibes {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

/// Those of this thread.
std::unordered_map<int, Receiver*>& receivers() {
  thread_local std::unordered_map<int, Receiver*> by_fd;
  return by_fd;
}

Receiver* find_receiver(int fd) {
  const auto found = receivers().find(fd);
  return found == receivers().end() ? nullptr : found->second;
}

}  // namespace

RecvHook::RecvHook(int fd, Receiver& receiver) : fd_(fd), receiver_(&receiver) {
  receivers()[fd] = receiver_;
}

RecvHook::~RecvHook() {
  if (find_receiver(fd_) == receiver_) {
    receivers().erase(fd_);
  }
}

std::size_t HeadEnd::pass(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !found()) {
    const char c = bytes[taken++];
    matched_ = c == kHeadEnd[matched_] ? matched_ + 1 : c == '\r' ? 1 : 0;
  }
  return taken;
}

bool HeadEnd::found() const { return matched_ == kHeadEnd.size(); }

ssize_t receive_from(int fd, char* buffer, std::size_t size) {
  return ::recvfrom(fd, buffer, size, 0, nullptr, nullptr);
}

ssize_t receive_head(int fd, char* buffer, std::size_t size, HeadEnd& end) {
  const ssize_t waiting = ::recvfrom(fd, buffer, size, MSG_PEEK, nullptr, nullptr);
  if (waiting <= 0) {
    return waiting;
  }
  return receive_from(fd, buffer, end.pass({buffer, static_cast<std::size_t>(waiting)}));
}

}  // namespace vibes

// The dynamic linker finds this one before the C library's, also for libwebsockets.
extern "C" ssize_t recv(int fd, void* buffer, std::size_t size, int flags) {
  vibes::Receiver* receiver = flags == 0 ? vibes::find_receiver(fd) : nullptr;
  if (receiver == nullptr) {
    return ::recvfrom(fd, buffer, size, flags, nullptr, nullptr);
  }
  try {
    return receiver->receive(static_cast<char*>(buffer), size);
  } catch (const std::exception&) {
    errno = ENOMEM;  // it must not cross the library's C frames: it costs the connection
    return -1;
  }
}
