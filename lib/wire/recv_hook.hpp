// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <sys/types.h>

namespace vibes {

/// Gets what a socket receives before the library that asked for it does.
class Receiver {
 public:
  Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  virtual ~Receiver() = default;

  /// recv(2) without flags: the bytes that the library is to have, which may be fewer than came;
  /// -1 with EAGAIN for none of them.
  virtual ssize_t receive(char* buffer, std::size_t size) = 0;
};

/// While it lives, recv(2) without flags of `fd` on this thread goes through `receiver`; every
/// other call as ever. libwebsockets 4.1 has no callback between the socket and its parser. It
/// receives by recv(2), and the program that links this has a recv() of its own, which the dynamic
/// linker finds before the C library's. Over TLS there is nothing to see.
///
/// Belongs to the thread that made it. The socket must outlive it, or be closed without being read
/// again.
class RecvHook {
 public:
  RecvHook(int fd, Receiver& receiver);
  RecvHook(const RecvHook&) = delete;
  RecvHook& operator=(const RecvHook&) = delete;
  ~RecvHook();

 private:
  const int fd_;
  Receiver* const receiver_;
};

/// Looks for the empty line that ends the head of an HTTP message.
class HeadEnd {
 public:
  /// How many of `bytes` belong to the head.
  std::size_t pass(std::string_view bytes);
  [[nodiscard]] bool found() const;

 private:
  std::size_t matched_ = 0;
};

/// The C library's recv(), for a Receiver.
ssize_t receive_from(int fd, char* buffer, std::size_t size);
/// The same up to the end of the head: what follows stays in the socket, so that nothing is parsed
/// before we know what it is.
ssize_t receive_head(int fd, char* buffer, std::size_t size, HeadEnd& end);

}  // namespace vibes
