// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventlog/iggy/iggy_stream.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/iggy/server_process.hpp"
#include "support/temp_dir.hpp"

namespace vibes::test {

/// A real iggy-server with a world of its own, for one test.
class LiveIggy {
 public:
  enum class Saving { each_message, default_settings };
  enum class Requests { default_size, large };

  /// Nothing, and a line that says so, where this machine has no server.
  static std::unique_ptr<LiveIggy> start(Saving saving = Saving::each_message,
                                         Requests requests = Requests::default_size);

  void start_again();
  /// SIGTERM, or SIGKILL.
  void end(int signal);
  /// As a person's tool would: the status, and the body.
  std::pair<long, std::string> ask(const std::string& path);
  std::pair<long, std::string> post(const std::string& path, const std::string& body);

  [[nodiscard]] eventlog::iggy::IggyOptions options(const std::string& topic = "events") const;
  [[nodiscard]] std::unique_ptr<eventlog::iggy::IggyStream> stream(
      const std::string& topic = "events") const;
  /// For engines::open_log(), with the password.
  [[nodiscard]] std::string log_url(const std::string& stream) const;
  [[nodiscard]] bool is_08() const { return is_08_; }

 private:
  LiveIggy(std::string program, Saving saving, Requests requests);
  [[nodiscard]] eventlog::iggy::ServerProcess::Options process_options() const;
  std::pair<long, std::string> call(const eventlog::iggy::HttpRequest& request);

  TempDir dir_;
  const std::string program_;
  const Saving saving_;
  const Requests requests_;
  bool is_08_ = false;
  std::uint16_t http_port_ = 0;
  std::uint16_t tcp_port_ = 0;
  std::optional<eventlog::iggy::ServerProcess> process_;
};

/// The program, if this machine has one.
std::optional<std::string> iggy_program();

}  // namespace vibes::test

/// Declares `server`; ends the test case, saying so, where there is none.
#define LIVE_IGGY(server, ...)                                             \
  const auto server##_or_none = vibes::test::LiveIggy::start(__VA_ARGS__); \
  if (!server##_or_none) {                                                 \
    return;                                                                \
  }                                                                        \
  vibes::test::LiveIggy& server = *server##_or_none
