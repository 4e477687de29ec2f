// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "client/deadline.hpp"
#include "client/endpoint.hpp"

namespace vibes::client {

/// A connected stream socket (TCP or unix) whose calls wait until a deadline. One thread at a time.
class SocketStream {
 public:
  /// Errors: Errc::cannot_connect, timed_out.
  static Result<SocketStream> connect(const Endpoint& endpoint, Deadline deadline);

  Result<void> write(std::string_view bytes, Deadline deadline);
  /// Appends what has come, at least one byte, to `out`; false at the end of the stream.
  Result<bool> read(std::string& out, Deadline deadline);

 private:
  explicit SocketStream(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace vibes::client
