// SPDX-License-Identifier: MIT
#include "peers/past_reader.hpp"

#include <string>
#include <sys/socket.h>
#include <vector>

#include "firehose/server_process.hpp"
#include "peers/wire.hpp"

namespace vibes::bench {

double catch_up_us(int port, std::uint64_t from, std::uint64_t until) {
  constexpr std::size_t kPieceBytes = 256U << 10U;
  std::vector<char> piece(kPieceBytes);
  FrameCounter counter;
  const double start = now_us();
  const UniqueFd fd = open_websocket(
      port, "/ws/firehose?from=" + std::to_string(from) + "&until=" + std::to_string(until));
  while (!counter.closed()) {
    const ssize_t got = ::recv(fd.get(), piece.data(), piece.size(), 0);
    if (got <= 0) {
      break;
    }
    counter.take({piece.data(), static_cast<std::size_t>(got)});
  }
  const double took = now_us() - start;
  if (counter.events() != until - from) {
    die("the reader got " + std::to_string(counter.events()) + " events of " +
        std::to_string(until - from));
  }
  return took;
}

}  // namespace vibes::bench
