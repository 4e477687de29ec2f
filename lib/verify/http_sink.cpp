// SPDX-License-Identifier: MIT
#include "verify/http_sink.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

constexpr std::size_t kRequestBytesMax = 1U << 20U;
constexpr std::size_t kConnectionsMax = 256;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// Cuts the next line off the head.
std::string_view next_line(std::string_view& head) {
  const std::size_t end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(end + 2, head.size()));
  return line;
}

SinkRequest parse_head(std::string_view head) {
  SinkRequest request;
  std::string_view first = next_line(head);
  first.remove_prefix(std::min(first.find(' ') + 1, first.size()));
  request.path = first.substr(0, first.find(' '));
  while (!head.empty()) {
    const std::string_view line = next_line(head);
    const std::size_t colon = std::min(line.find(':'), line.size());
    request.headers.emplace_back(lower(line.substr(0, colon)),
                                 trimmed(line.substr(std::min(colon + 1, line.size()))));
  }
  return request;
}

/// The request, once all of it has come.
std::optional<SinkRequest> parse(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t head_bytes = bytes.find(kEnd);
  if (head_bytes == std::string_view::npos) {
    return std::nullopt;
  }
  SinkRequest request = parse_head(bytes.substr(0, head_bytes));
  const std::string_view body = bytes.substr(head_bytes + kEnd.size());
  const std::string_view length = request.header("content-length").value_or("0");
  std::size_t body_bytes = 0;
  (void)std::from_chars(length.data(), length.data() + length.size(), body_bytes);
  if (body.size() < body_bytes) {
    return std::nullopt;
  }
  request.body = body.substr(0, body_bytes);
  return request;
}

Result<std::string> url_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("getsockname");
  }
  return fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
}

}  // namespace

std::optional<std::string_view> SinkRequest::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Result<std::unique_ptr<HttpSink>> HttpSink::start() {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!listener || !wake ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0) {
    return fail_errno("a listener on 127.0.0.1");
  }
  VIBES_TRY_ASSIGN(url, url_of(listener.get()));
  return std::unique_ptr<HttpSink>(
      new HttpSink(std::move(listener), std::move(wake), std::move(url)));
}

HttpSink::HttpSink(UniqueFd listener, UniqueFd wake, std::string url)
    : listener_(std::move(listener)),
      wake_(std::move(wake)),
      url_(std::move(url)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

HttpSink::~HttpSink() {
  thread_.request_stop();
  wake();
  thread_.join();
}

void HttpSink::hang() {
  const MutexLock lock(mutex_);
  hangs_ = true;
}

void HttpSink::answer() {
  {
    const MutexLock lock(mutex_);
    hangs_ = false;
  }
  wake();
}

bool HttpSink::is_hanging() const {
  const MutexLock lock(mutex_);
  return hangs_;
}

Result<SinkRequest> HttpSink::next(client::Deadline deadline) {
  MutexLock lock(mutex_);
  while (requests_.empty()) {
    if (arrived_.wait_until(lock, deadline) == std::cv_status::timeout && requests_.empty()) {
      return fail(Errc::timeout, "waited for a request at " + url_);
    }
  }
  SinkRequest request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

bool HttpSink::keep(SinkRequest request) {
  const MutexLock lock(mutex_);
  requests_.push_back(std::move(request));
  arrived_.notify_all();
  return hangs_;
}

void HttpSink::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void HttpSink::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> waiting = {{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Connection& connection : connections_) {
      waiting.push_back({connection.fd.get(), POLLIN, 0});
    }
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    std::uint64_t wakes = 0;
    (void)!::read(wake_.get(), &wakes, sizeof wakes);
    std::erase_if(connections_, [this](Connection& connection) { return !read(connection); });
    accept();
  }
}

void HttpSink::accept() {
  while (connections_.size() < kConnectionsMax) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      return;
    }
    connections_.push_back({.fd = std::move(fd), .bytes = "", .is_taken = false});
  }
}

bool HttpSink::read(Connection& connection) {
  std::array<char, 16'384> piece{};
  ssize_t got = 0;
  while ((got = ::recv(connection.fd.get(), piece.data(), piece.size(), 0)) > 0 &&
         connection.bytes.size() < kRequestBytesMax) {
    connection.bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
  bool hangs = true;
  if (connection.is_taken) {
    hangs = is_hanging();
  } else if (auto request = parse(connection.bytes)) {
    connection.is_taken = true;
    hangs = keep(*std::move(request));
  }
  if (!hangs) {
    (void)::send(connection.fd.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    return false;
  }
  // Who hangs up, sends too much or breaks the connection gets no answer.
  return got < 0 && (errno == EAGAIN || errno == EINTR);
}

}  // namespace vibes::verify
