// SPDX-License-Identifier: MIT
#include "peers/vibes_here.hpp"

#include <array>
#include <cstdlib>

#include <poll.h>
#include <unistd.h>

#include "firehose/server_process.hpp"
#include "peers/wire.hpp"

namespace vibes::bench {
namespace {

std::string get(int port, const std::string& path) {
  const UniqueFd fd = connect_to(port);
  send_all(fd.get(), "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                         "\r\nConnection: close\r\n\r\n");
  std::string answer;
  std::array<char, 4'096> piece{};
  for (ssize_t got = 0; (got = ::read(fd.get(), piece.data(), piece.size())) > 0;) {
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

/// Whether a group of /api/consumers has something left to read.
bool any_lag(const std::string& consumers) {
  const std::string name = R"("lag":)";
  for (std::size_t at = consumers.find(name); at != std::string::npos;
       at = consumers.find(name, at + 1)) {
    if (consumers[at + name.size()] != '0') {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> environment_of(const VibesHome& home) {
  return environment_in(home.directory, home.sockets);
}

VibesHere::VibesHere(const VibesHome& home, const std::vector<std::string>& options) {
  const std::string said = home.directory / "server.stderr";
  Command command{.words = {home.server, "--listen", "127.0.0.1:0", "--ready-fd",
                            std::to_string(Daemon::kReadyFd)},
                  .environment = environment_of(home),
                  .standard_error = said};
  if (!home.log.empty()) {
    command.words.insert(command.words.end(), {"--log", "file:" + home.log});
  }
  command.words.insert(command.words.end(), options.begin(), options.end());
  const double start = now_us();
  process_ = std::make_unique<Daemon>(command);
  const std::string line = process_->first_line();
  started_us_ = now_us() - start;
  const std::size_t colon = line.rfind(':');
  port_ = colon == std::string::npos ? 0 : std::atoi(line.c_str() + colon + 1);
  if (port_ == 0) {
    die("the server did not start: " + contents(said));
  }
}

void VibesHere::await_consumers() const {
  constexpr int kLookEveryMs = 100;
  for (std::string answer = get(port_, "/api/consumers"); any_lag(answer);
       answer = get(port_, "/api/consumers")) {
    ::poll(nullptr, 0, kLookEveryMs);
  }
}

}  // namespace vibes::bench
