// SPDX-License-Identifier: MIT
#include "net/intake.hpp"

#include <cerrno>
#include <exception>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>

namespace vibes::net {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

ssize_t receive_from(int fd, char* buffer, std::size_t size, int flags) {
  return ::recvfrom(fd, buffer, size, flags, nullptr, nullptr);
}

/// Those of this thread.
std::unordered_map<int, Intake*>& intakes() {
  thread_local std::unordered_map<int, Intake*> by_fd;
  return by_fd;
}

Intake* find_intake(int fd) {
  const auto found = intakes().find(fd);
  return found == intakes().end() ? nullptr : found->second;
}

}  // namespace

Intake::Intake(int fd) : fd_(fd) { intakes()[fd] = this; }

Intake::~Intake() {
  if (find_intake(fd_) == this) {
    intakes().erase(fd_);
  }
}

bool Intake::head_ended() const { return head_end_matched_ == kHeadEnd.size(); }

bool Intake::expect_frames(std::size_t message_bytes_max, std::function<void()> on_frames) {
  guard_.emplace(message_bytes_max);
  on_frames_ = std::move(on_frames);
  return head_ended() && !more_than_head_;
}

ssize_t Intake::receive(char* buffer, std::size_t size) {
  if (!head_ended()) {
    return receive_head(buffer, size);
  }
  if (guard_) {
    return receive_frames(buffer, size);
  }
  const ssize_t got = receive_from(fd_, buffer, size, 0);
  more_than_head_ = more_than_head_ || got > 0;
  return got;
}

/// What follows the head stays in the socket, so that nothing is parsed before we know what it is.
ssize_t Intake::receive_head(char* buffer, std::size_t size) {
  const ssize_t waiting = receive_from(fd_, buffer, size, MSG_PEEK);
  if (waiting <= 0) {
    return waiting;
  }
  const std::string_view bytes(buffer, static_cast<std::size_t>(waiting));
  std::size_t taken = 0;
  while (taken < bytes.size() && !head_ended()) {
    const char c = bytes[taken++];
    head_end_matched_ = c == kHeadEnd[head_end_matched_] ? head_end_matched_ + 1
                        : c == '\r'                      ? 1
                                                         : 0;
  }
  return receive_from(fd_, buffer, taken, 0);
}

/// After a breach the rest is thrown away: libwebsockets only waits for the end.
ssize_t Intake::receive_frames(char* buffer, std::size_t size) {
  const ssize_t got = receive_from(fd_, buffer, size, 0);
  if (got <= 0) {
    return got;
  }
  const bool broken = guard_->breach().has_value();
  const std::size_t good =
      broken ? 0 : guard_->pass(std::string_view(buffer, static_cast<std::size_t>(got)));
  if (!broken) {
    on_frames_();
  }
  if (good == 0) {
    errno = EAGAIN;
    return -1;
  }
  return static_cast<ssize_t>(good);
}

}  // namespace vibes::net

// The dynamic linker finds this one before the C library's, also for libwebsockets.
extern "C" ssize_t recv(int fd, void* buffer, std::size_t size, int flags) {
  vibes::net::Intake* intake = flags == 0 ? vibes::net::find_intake(fd) : nullptr;
  if (intake == nullptr) {
    return ::recvfrom(fd, buffer, size, flags, nullptr, nullptr);
  }
  try {
    return intake->receive(static_cast<char*>(buffer), size);
  } catch (const std::exception&) {
    errno = ENOMEM;  // it must not cross the library's C frames: it costs the connection
    return -1;
  }
}
