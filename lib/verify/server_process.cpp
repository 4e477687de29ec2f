// SPDX-License-Identifier: MIT
#include "verify/server_process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "verify/argv.hpp"
#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 5> kDirectories = {"home", "config", "data", "state", "run"};

std::vector<std::string> environment_for(const fs::path& root) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("XDG_") && !text.starts_with("VIBES_") && !text.starts_with("HOME=") &&
        !text.starts_with("NOTIFY_SOCKET=")) {
      environment.emplace_back(text);
    }
  }
  environment.push_back("HOME=" + (root / "home").string());
  environment.push_back("XDG_CONFIG_HOME=" + (root / "config").string());
  environment.push_back("XDG_DATA_HOME=" + (root / "data").string());
  environment.push_back("XDG_STATE_HOME=" + (root / "state").string());
  environment.push_back("XDG_RUNTIME_DIR=" + (root / "run").string());
  return environment;
}

/// Everything the child needs, made before the fork: between fork and exec nothing may allocate.
struct Launch {
  std::string program;
  std::string directory;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  int stderr_fd = -1;
  int ready_fd = -1;
  pid_t parent = 0;
};

[[noreturn]] void become_server(const Launch& launch, char* const* argv, char* const* envp) {
  // A verifier that is killed must not leave servers behind.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != launch.parent) {
    ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (::dup2(null_fd, 0) < 0 || ::dup2(null_fd, 1) < 0 || ::dup2(launch.stderr_fd, 2) < 0 ||
      ::fcntl(launch.ready_fd, F_SETFD, 0) != 0 || ::chdir(launch.directory.c_str()) != 0) {
    ::_exit(127);
  }
  ::execve(launch.program.c_str(), argv, envp);
  ::_exit(127);
}

Result<pid_t> spawn(Launch& launch) {
  const auto argv = pointers_to(launch.arguments);
  const auto envp = pointers_to(launch.environment);
  launch.parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("fork");
  }
  if (pid == 0) {
    become_server(launch, argv.data(), envp.data());
  }
  return pid;
}

/// The URL the server writes once it listens; empty if it ended instead.
Result<std::string> read_ready_line(int fd, client::Deadline deadline) {
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd waiting{fd, POLLIN, 0};
    const int left = static_cast<int>(client::left_until(deadline).count());
    const int ready = ::poll(&waiting, 1, left);
    if (ready == 0) {
      return fail(Errc::timeout, "the server did not become ready");
    }
    std::array<char, 512> piece{};
    const ssize_t got = ready < 0 ? -1 : ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno != EINTR) {
      return fail_errno("ready-fd");
    }
    if (got == 0) {
      return std::string();
    }
    line.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  return line.substr(0, line.find('\n'));
}

std::string file_tail(const fs::path& path, std::size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream whole;
  whole << file.rdbuf();
  std::string text = whole.str();
  return text.size() > bytes ? text.substr(text.size() - bytes) : text;
}

/// Beside this program, in the folder `other`, or the first on $PATH.
std::optional<fs::path> find_beside_or_on_path(const std::string& name, const fs::path& other) {
  std::error_code error;
  std::vector<fs::path> folders = {fs::read_symlink("/proc/self/exe", error).parent_path(), other};
  const char* path = std::getenv("PATH");
  std::istringstream rest(path == nullptr ? "" : path);
  for (std::string folder; std::getline(rest, folder, ':');) {
    folders.emplace_back(folder);
  }
  for (const fs::path& folder : folders) {
    if (!folder.empty() && ::access((folder / name).c_str(), X_OK) == 0) {
      return folder / name;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<fs::path> find_program(const std::string& name, const fs::path& server) {
  if (auto found = find_beside_or_on_path(name, server.parent_path())) {
    return *std::move(found);
  }
  return fail(Errc::program_not_found,
              name + ": looked beside this program, beside the server and on $PATH");
}

Result<fs::path> find_server_program() {
  if (const char* given = std::getenv("VIBES_SERVER"); given != nullptr && *given != '\0') {
    return fs::path(given);
  }
  if (auto found = find_beside_or_on_path("vibes-server", {})) {
    return *std::move(found);
  }
  return fail(Errc::server_not_found, "looked in $VIBES_SERVER, beside this program and on $PATH");
}

std::string to_string(const ExitStatus& status) {
  return status.signal != 0 ? fmt::format("killed by signal {}", status.signal)
                            : fmt::format("exit code {}", status.code);
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : options_(std::move(other.options_)),
      target_(std::move(other.target_)),
      pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      start_took_(other.start_took_) {}

ServerProcess::~ServerProcess() { (void)kill(); }

Result<ServerProcess> ServerProcess::start(ServerOptions options, client::Deadline deadline) {
  ServerProcess server(std::move(options));
  VIBES_TRY(server.make_directories());
  VIBES_TRY(server.launch("127.0.0.1:0", deadline));
  return server;
}

Result<void> ServerProcess::make_directories() const {
  for (const char* name : kDirectories) {
    std::error_code error;
    fs::create_directories(options_.root / name, error);
    if (!error) {
      fs::permissions(options_.root / name, fs::perms::owner_all, error);
    }
    if (error) {
      return fail(error, (options_.root / name).string());
    }
  }
  return {};
}

Result<void> ServerProcess::launch(const std::string& listen, client::Deadline deadline) {
  const auto began = std::chrono::steady_clock::now();
  const std::string stderr_path = options_.root / "stderr";
  const UniqueFd errors(
      ::open(stderr_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  std::array<int, 2> ends{};
  if (!errors || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno(stderr_path);
  }
  const UniqueFd ready_read(ends[0]);
  UniqueFd ready_write(ends[1]);
  Launch launch{
      .program = options_.program,
      .directory = options_.root,
      .arguments = {options_.program, "--listen", listen, "--log",
                    options_.log.empty() ? "file:" + log_directory().string() : options_.log,
                    "--ready-fd", std::to_string(ready_write.get())},
      .environment = environment_for(options_.root),
      .stderr_fd = errors.get(),
      .ready_fd = ready_write.get()};
  launch.arguments.insert(launch.arguments.end(), options_.arguments.begin(),
                          options_.arguments.end());
  VIBES_TRY_ASSIGN(pid, spawn(launch));
  ready_write.reset();
  pid_ = pid;
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  auto url = read_ready_line(ready_read.get(), deadline);
  if (!url || url->empty()) {
    const auto ended = url ? wait_for_end(deadline) : kill();
    return fail(Errc::server_failed, fmt::format("{}: {}\n{}", options_.program.string(),
                                                 !url    ? url.error().context
                                                 : ended ? to_string(*ended)
                                                         : "did not end",
                                                 stderr_tail()));
  }
  start_took_ = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  VIBES_TRY_ASSIGN(endpoint, client::parse_endpoint(*url));
  target_.endpoint = endpoint;
  return read_token();
}

Result<void> ServerProcess::read_token() {
  const fs::path file = options_.root / "run" / "vibes" / "token";
  if (!fs::exists(file)) {
    return {};  // --auth none
  }
  VIBES_TRY_ASSIGN(token, client::read_token(file));
  target_.token = token;
  return {};
}

Result<void> ServerProcess::start_again(client::Deadline deadline) {
  return launch(fmt::format("127.0.0.1:{}", target_.endpoint.port), deadline);
}

Result<ExitStatus> ServerProcess::wait_for_end(client::Deadline deadline) {
  pollfd waiting{pidfd_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(client::left_until(deadline).count()));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    return fail(Errc::timeout, fmt::format("process {} did not end", pid_));
  }
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) {
    return fail_errno("waitpid");
  }
  pid_ = -1;
  pidfd_.reset();
  return WIFEXITED(status) ? ExitStatus{WEXITSTATUS(status), 0} : ExitStatus{-1, WTERMSIG(status)};
}

Result<ExitStatus> ServerProcess::stop(client::Deadline deadline) {
  if (pid_ < 0) {
    return fail(Errc::server_failed, "the server is not running");
  }
  (void)::kill(pid_, SIGTERM);
  auto ended = wait_for_end(deadline);
  if (!ended) {
    (void)kill();
  }
  return ended;
}

Result<ExitStatus> ServerProcess::kill() {
  if (pid_ < 0) {
    return fail(Errc::server_failed, "the server is not running");
  }
  (void)::kill(pid_, SIGKILL);
  return wait_for_end(client::within(std::chrono::seconds(30)));
}

bool ServerProcess::is_running() const {
  pollfd waiting{pidfd_.get(), POLLIN, 0};
  return pid_ > 0 && ::poll(&waiting, 1, 0) == 0;
}

std::vector<std::string> ServerProcess::environment() const {
  return environment_for(options_.root);
}

fs::path ServerProcess::log_directory() const {
  constexpr std::string_view kScheme = "file:";
  return options_.log.starts_with(kScheme) ? fs::path(options_.log.substr(kScheme.size()))
                                           : options_.root / "log";
}

std::string ServerProcess::stderr_tail(std::size_t bytes) const {
  return file_tail(options_.root / "stderr", bytes);
}

std::optional<std::uint64_t> ServerProcess::rss_bytes() const {
  std::ifstream status(fmt::format("/proc/{}/status", pid_));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    }
  }
  return std::nullopt;
}

bool ServerProcess::is_sanitized() const {
  std::ifstream maps(fmt::format("/proc/{}/maps", pid_));
  for (std::string line; std::getline(maps, line);) {
    if (line.find("libasan.so") != std::string::npos ||
        line.find("libtsan.so") != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace vibes::verify
