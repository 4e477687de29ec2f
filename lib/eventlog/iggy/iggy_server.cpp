// SPDX-License-Identifier: MIT
#include "eventlog/iggy/iggy_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <string_view>
#include <sys/file.h>
#include <sys/socket.h>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/iggy/http.hpp"
#include "eventlog/iggy/preflight.hpp"

namespace vibes::eventlog::iggy {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 20ms;  // whether it runs, and whether it answers yet
constexpr auto kEndWithin = 5s;
constexpr auto kHealthyAfter = 1min;
constexpr std::size_t kOutputShown = 2'000;  // bytes
constexpr const char* kUser = "vibes";
/// A batch of ours of any size fits in, in base64.
constexpr std::size_t kRequestBytes = 32'000'000;

/// A port that nobody listens on just now.
Result<std::uint16_t> free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!fd || ::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0) {
    return fail_errno("no free port on the loopback interface");
  }
  return ntohs(address.sin_port);
}

/// For our eyes only from the first byte on, and whole or not there at all.
Result<void> write_secret(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  (void)::unlink(beside.c_str());
  const UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(fd.get()) != 0 || ::rename(beside.c_str(), path.c_str()) != 0) {
    return fail_errno(path);
  }
  return {};
}

std::string read_file(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Result<std::unique_ptr<IggyServer>> IggyServer::make(const std::string& directory) {
  VIBES_TRY(check_machine(this_machine()));
  const char* given = std::getenv("IGGY_SERVER");  // NOLINT(concurrency-mt-unsafe)
  const std::string name = given != nullptr && *given != '\0' ? given : "iggy-server";
  const auto program = find_program(name);
  if (!program) {
    return fail(std::make_error_code(std::errc::no_such_file_or_directory),
                name + ": install Apache Iggy's server, or say in $IGGY_SERVER where it is");
  }
  std::error_code error;
  const std::string path = std::filesystem::absolute(*program, error).string();
  std::unique_ptr<IggyServer> server(new IggyServer(directory, path));
  VIBES_TRY(server->take_directory());
  VIBES_TRY(server->load_credentials());
  VIBES_TRY(server->choose_ports());
  VIBES_TRY(server->ask_version());
  return server;
}

Result<void> IggyServer::take_directory() {
  std::error_code error;
  std::filesystem::create_directories(directory_ + "/iggy", error);
  if (error) {
    return fail(error, directory_);
  }
  const std::string path = directory_ + "/lock";
  lock_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) {
    return fail_errno(path);
  }
  // Iggy itself lets two servers work on the same data.
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::locked, directory_);
  }
  return {};
}

Result<void> IggyServer::load_credentials() {
  const std::string path = directory_ + "/credentials";
  options_.user = kUser;
  std::istringstream text(read_file(path));
  std::string user;
  if (text >> user >> options_.password && user == kUser) {
    return {};
  }
  options_.password = to_string(random_uuid()) + to_string(random_uuid());
  return write_secret(path, fmt::format("{} {}\n", kUser, options_.password));
}

/// The same ones as long as we live, so that whoever is connected finds it again.
Result<void> IggyServer::choose_ports() {
  VIBES_TRY_ASSIGN(http, free_port());
  VIBES_TRY_ASSIGN(tcp, free_port());
  options_.host = "127.0.0.1";
  options_.port = http;
  tcp_port_ = tcp;
  options_.request_bytes_max = kRequestBytes;
  return {};
}

/// "server 0.8.0"
Result<void> IggyServer::ask_version() {
  ServerProcess::Options asking = process_options();
  asking.arguments = {"--version"};
  VIBES_TRY_ASSIGN(process, ServerProcess::start(asking));
  const auto status = process.wait(limits::kEngineRequestWithin);
  const std::string said = last_output();
  if (status != 0) {
    return fail(std::make_error_code(std::errc::executable_format_error),
                fmt::format("{} --version: {}", program_, said));
  }
  saves_by_settings_ = said.find(" 0.8.") != std::string::npos;
  if (saves_by_settings_) {
    options_.fsync = IggyOptions::Fsync::always;  // by the settings below
  }
  return {};
}

ServerProcess::Options IggyServer::process_options() const {
  ServerProcess::Options options{.program = program_,
                                 .arguments = {},
                                 .environment = {},
                                 .directory = directory_,
                                 .output = directory_ + "/iggy-server.output"};
  for (const char* name : {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR"}) {
    if (const char* value = std::getenv(name)) {  // NOLINT(concurrency-mt-unsafe)
      options.environment.emplace_back(name, value);
    }
  }
  const std::array<std::pair<const char*, std::string>, 11> settings = {{
      {"IGGY_ROOT_USERNAME", options_.user},
      {"IGGY_ROOT_PASSWORD", options_.password},
      {"IGGY_SYSTEM_PATH", directory_ + "/iggy"},
      {"IGGY_HTTP_ENABLED", "true"},
      {"IGGY_HTTP_ADDRESS", fmt::format("127.0.0.1:{}", options_.port)},
      {"IGGY_HTTP_MAX_REQUEST_SIZE", fmt::format("{} MB", kRequestBytes / 1'000'000)},
      {"IGGY_TCP_ADDRESS", fmt::format("127.0.0.1:{}", tcp_port_)},
      {"IGGY_QUIC_ENABLED", "false"},
      {"IGGY_WEBSOCKET_ENABLED", "false"},
      {"IGGY_SYSTEM_SHARDING_CPU_ALLOCATION", "1"},
      {"IGGY_SYSTEM_LOGGING_LEVEL", "warn"},
  }};
  options.environment.insert(options.environment.end(), settings.begin(), settings.end());
  if (saves_by_settings_) {  // later versions refuse to start with these
    options.environment.emplace_back("IGGY_SYSTEM_PARTITION_ENFORCE_FSYNC", "true");
    options.environment.emplace_back("IGGY_SYSTEM_PARTITION_MESSAGES_REQUIRED_TO_SAVE", "1");
  }
  return options;
}

std::string IggyServer::last_output() const {
  const std::string text = read_file(directory_ + "/iggy-server.output");
  return text.substr(text.size() - std::min(text.size(), kOutputShown));
}

bool IggyServer::answers(const std::stop_token& stop) const {
  HttpConnection connection(options_.base());
  const auto outcome = connection.perform({.path = "/ping"}, {}, stop);
  return outcome.answer && outcome.answer->status == 200;
}

Result<void> IggyServer::start(std::chrono::milliseconds within) {
  const auto until = Clockwork::now() + within;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  while (!answers(thread_.get_stop_token())) {
    MutexLock lock(mutex_);
    if (trouble_) {
      return fail(*trouble_);
    }
    if (deaths_ > 0) {
      return fail(Errc::unreachable, fmt::format("{} ends at once: {}", program_, last_output()));
    }
    if (Clockwork::now() >= until) {
      return fail(Errc::unreachable, fmt::format("{} does not answer within {} ms: {}", program_,
                                                 within.count(), last_output()));
    }
    changed_.wait_for(lock, kLook);
  }
  return {};
}

void IggyServer::run(const std::stop_token& stop) {
  std::chrono::milliseconds pause = limits::kEngineRetryFirst;
  while (!stop.stop_requested()) {
    const auto began = Clockwork::now();
    run_once(stop);
    if (Clockwork::now() - began >= kHealthyAfter) {
      pause = limits::kEngineRetryFirst;
    }
    MutexLock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [] { return false; });
    pause = std::min(pause * 2, limits::kEngineRetryLast);
  }
}

/// From its start to its end.
void IggyServer::run_once(const std::stop_token& stop) {
  auto process = ServerProcess::start(process_options());
  MutexLock lock(mutex_);
  if (!process) {
    trouble_ = process.error();
    changed_.notify_all();
    return;
  }
  pid_ = process->pid();
  while (!stop.stop_requested() && !process->poll()) {
    changed_.wait_for(lock, stop, kLook, [] { return false; });
  }
  lock.unlock();
  end(*process);
  lock.lock();
  pid_ = -1;
  ++deaths_;
  changed_.notify_all();
}

void IggyServer::end(ServerProcess& process) {
  process.signal(SIGTERM);
  if (!process.wait(kEndWithin)) {
    process.kill();
  }
}

pid_t IggyServer::pid() const {
  const MutexLock lock(mutex_);
  return pid_;
}

void IggyServer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
  lock_.reset();
}

}  // namespace vibes::eventlog::iggy
