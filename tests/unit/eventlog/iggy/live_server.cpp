// SPDX-License-Identifier: MIT
#include "unit/eventlog/iggy/live_server.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <thread>

#include <unistd.h>

#include "base/unique_fd.hpp"
#include "eventlog/iggy/http.hpp"
#include "eventlog/iggy/wire.hpp"
#include "support/catch.hpp"

namespace vibes::test {
namespace {

using namespace std::chrono_literals;
using eventlog::iggy::HttpConnection;
using eventlog::iggy::HttpRequest;
using eventlog::iggy::ServerProcess;

constexpr const char* kPassword = "secret-iggy";

std::uint16_t free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

std::optional<std::string> iggy_program() {
  const char* given = std::getenv("IGGY_SERVER");  // NOLINT(concurrency-mt-unsafe)
  auto program = eventlog::iggy::find_program(given != nullptr ? given : "iggy-server");
  if (!program) {
    std::cout << "skipped: no iggy-server in $IGGY_SERVER or $PATH\n";
  }
  return program;
}

std::unique_ptr<LiveIggy> LiveIggy::start(Saving saving, Requests requests) {
  const auto program = iggy_program();
  if (!program) {
    return nullptr;
  }
  std::unique_ptr<LiveIggy> server(new LiveIggy(*program, saving, requests));
  server->start_again();
  return server;
}

LiveIggy::LiveIggy(std::string program, Saving saving, Requests requests)
    : program_(std::move(program)),
      saving_(saving),
      requests_(requests),
      http_port_(free_port()),
      tcp_port_(free_port()) {
  ServerProcess::Options asking = process_options();
  asking.arguments = {"--version"};
  auto process = ServerProcess::start(asking);
  REQUIRE(process);
  REQUIRE(process->wait(10s) == 0);
  is_08_ = read_file(asking.output).find(" 0.8.") != std::string::npos;
}

ServerProcess::Options LiveIggy::process_options() const {
  const std::string dir = dir_.path().string();
  ServerProcess::Options options{.program = program_,
                                 .arguments = {},
                                 .environment = {},
                                 .directory = dir,
                                 .output = dir + "/output"};
  options.environment = {{"IGGY_ROOT_USERNAME", "iggy"},
                         {"IGGY_ROOT_PASSWORD", kPassword},
                         {"IGGY_SYSTEM_PATH", dir + "/data"},
                         {"IGGY_HTTP_ENABLED", "true"},
                         {"IGGY_HTTP_ADDRESS", "127.0.0.1:" + std::to_string(http_port_)},
                         {"IGGY_TCP_ADDRESS", "127.0.0.1:" + std::to_string(tcp_port_)},
                         {"IGGY_QUIC_ENABLED", "false"},
                         {"IGGY_WEBSOCKET_ENABLED", "false"},
                         {"IGGY_SYSTEM_SHARDING_CPU_ALLOCATION", "1"},
                         {"PATH", "/usr/bin:/bin"}};
  if (requests_ == Requests::large) {
    options.environment.emplace_back("IGGY_HTTP_MAX_REQUEST_SIZE", "100 MB");
  }
  if (is_08_ && saving_ == Saving::each_message) {
    options.environment.emplace_back("IGGY_SYSTEM_PARTITION_ENFORCE_FSYNC", "true");
    options.environment.emplace_back("IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE", "1");
  }
  return options;
}

std::string LiveIggy::log_url(const std::string& stream) const {
  return "iggy+http://iggy:" + std::string(kPassword) + "@127.0.0.1:" + std::to_string(http_port_) +
         "/" + stream + (requests_ == Requests::large ? "?max_request=60000000" : "");
}

void LiveIggy::start_again() {
  auto started = ServerProcess::start(process_options());
  REQUIRE(started);
  process_.emplace(*std::move(started));
  while (true) {
    HttpConnection connection(options().base());
    const auto outcome = connection.perform({.path = "/ping"}, {}, {});
    if (outcome.answer) {
      return;
    }
    if (process_->wait(20ms)) {
      FAIL("iggy-server ends: " << read_file(process_options().output));
    }
  }
}

void LiveIggy::end(int signal) {
  process_->signal(signal);
  REQUIRE(process_->wait(30s));
}

std::pair<long, std::string> LiveIggy::call(const HttpRequest& request) {
  HttpConnection connection(options().base());
  const auto login = connection.perform({.method = HttpRequest::Method::post,
                                         .path = "/users/login",
                                         .body = eventlog::iggy::login_body("iggy", kPassword)},
                                        {}, {});
  REQUIRE(login.answer);
  const auto token = eventlog::iggy::parse_login(login.answer->body);
  REQUIRE(token);
  const auto outcome = connection.perform(request, token->token, {});
  REQUIRE(outcome.answer);
  return {outcome.answer->status, outcome.answer->body};
}

std::pair<long, std::string> LiveIggy::ask(const std::string& path) { return call({.path = path}); }

std::pair<long, std::string> LiveIggy::post(const std::string& path, const std::string& body) {
  return call({.method = HttpRequest::Method::post, .path = path, .body = body});
}

eventlog::iggy::IggyOptions LiveIggy::options(const std::string& topic) const {
  eventlog::iggy::IggyOptions options;
  options.host = "127.0.0.1";
  options.port = http_port_;
  options.user = "iggy";
  options.password = kPassword;
  options.topic = topic;
  return options;
}

std::unique_ptr<eventlog::iggy::IggyStream> LiveIggy::stream(const std::string& topic) const {
  return std::make_unique<eventlog::iggy::IggyStream>(options(topic));
}

}  // namespace vibes::test
