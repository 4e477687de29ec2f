// SPDX-License-Identifier: MIT
// How long it takes from the call that appends an event to its notification's last byte at the
// endpoints, through a real vibes-server, while some of the endpoints never answer.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "firehose/raw_client.hpp"
#include "firehose/server_process.hpp"
#include "notify/endpoints.hpp"
#include "options.hpp"
#include "report.hpp"

namespace vibes::bench {
namespace {

struct Load {
  std::size_t endpoints = 100;
  std::size_t silent = 10;
  double per_second = 5;
  double seconds = 10;
};

/// Every browser has the same keys: those of RFC 8291's example.
std::string subscription(const std::string& url) {
  return fmt::format(
      R"({{"endpoint":"{}","keys":{{"p256dh":"{}","auth":"{}"}}}})", url,
      "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      "BTBZMqHH6r4Tts7J_aSIgg");
}

void subscribe(int port, const std::string& url) {
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string body = subscription(url);
  const std::string request = fmt::format(
      "POST /api/push/subscribe HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      port, body.size(), body);
  std::array<char, 1'024> answer{};
  if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::write(client.get(), request.data(), request.size()) !=
          static_cast<ssize_t>(request.size()) ||
      ::read(client.get(), answer.data(), answer.size()) <= 0) {
    die("subscribe");
  }
  if (!std::string_view(answer.data(), answer.size()).starts_with("HTTP/1.1 201")) {
    die(std::string("no subscription: ") + answer.data());
  }
}

/// Of a session of its own: of one tag only one is sent in 30 seconds.
std::string permission_request(std::size_t number) {
  return fmt::format(
      R"({{"type":"claude","session_id":"sess-{0}","event":{{"type":"permission_request",)"
      R"("id":"req_{0}","tool":"Bash","description":"Run the tests","input":{{}}}}}})",
      number);
}

struct Appends {
  std::vector<double> called_us;
  std::vector<double> ack_us;  // how long each took
};

Appends append_at_a_pace(const Address& server, const Load& load) {
  RawClient client(server, "/ws/append");
  Appends done;
  const auto events = static_cast<std::size_t>(load.per_second * load.seconds);
  const double start = now_us();
  for (std::size_t i = 0; i < events; ++i) {
    const double due = start + static_cast<double>(i) * 1e6 / load.per_second;
    std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(due - now_us()));
    const std::string frame = client_frame(permission_request(i));
    done.called_us.push_back(now_us());
    client.send(frame);
    for (bool acked = false; !acked;) {
      if (!client.receive(
              [&](std::string_view answer) { acked = answer.starts_with(R"({"type":"ack")"); })) {
        die("the server closed the connection");
      }
    }
    done.ack_us.push_back(now_us() - done.called_us.back());
  }
  return done;
}

void wait_for_all(const Endpoints& endpoints, std::size_t expected) {
  constexpr double kPatienceUs = 30e6;
  for (const double start = now_us();
       endpoints.arrived() < expected && now_us() - start < kPatienceUs;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::vector<Figure> measure(const std::string& program, const Load& load) {
  ServerProcess server(program, {"--push", "on"});
  Endpoints endpoints(load.endpoints - load.silent, load.silent);
  for (std::size_t i = 0; i < endpoints.count(); ++i) {
    subscribe(server.tcp().port, endpoints.url(i));
  }
  Appends appends = append_at_a_pace(server.tcp(), load);
  const std::size_t expected = appends.called_us.size() * endpoints.answering();
  wait_for_all(endpoints, expected);
  // To one endpoint requests go in the order of their events.
  std::vector<double> late_ms;
  for (const auto& arrivals : endpoints.arrivals()) {
    for (std::size_t i = 0; i < std::min(arrivals.size(), appends.called_us.size()); ++i) {
      late_ms.push_back((arrivals[i] - appends.called_us[i]) / 1e3);
    }
  }
  if (late_ms.empty()) {
    die("nothing arrived");
  }
  const std::string acked = "append to its ack, p50";
  const std::string name =
      fmt::format("append to {} of {} endpoints", endpoints.answering(), endpoints.count());
  return {{acked, percentile(appends.ack_us, 50) / 1e3, "ms"},
          {"append to its ack, p99", percentile(appends.ack_us, 99) / 1e3, "ms"},
          {name + ", p50", percentile(late_ms, 50), "ms", acked},
          {name + ", p99", percentile(late_ms, 99), "ms"},
          {name + ", max", percentile(late_ms, 100), "ms"},
          {"arrived", static_cast<double>(late_ms.size()), ""},
          {"expected", static_cast<double>(expected), ""},
          {"RSS of the server", static_cast<double>(server.rss_bytes()) / (1 << 20), "MiB"}};
}

int run(int argc, char** argv) {
  Load load;
  std::string program =
      std::filesystem::read_symlink("/proc/self/exe").replace_filename("vibes-server");
  CLI::App app("How soon a notification reaches its endpoints, some of which hang", "bench_notify");
  app.add_option("SERVER", program, "The vibes-server to measure")->capture_default_str();
  app.add_option("--endpoints", load.endpoints, "Subscriptions")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--silent", load.silent, "Of these never answer")->capture_default_str();
  app.add_option("--rate", load.per_second, "Events a second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", load.seconds, "Length of the measurement")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  const std::string json = parse_or_exit(app, argc, argv);
  if (load.silent >= load.endpoints) {
    std::fprintf(stderr, "bench_notify: --silent leaves no endpoint that answers\n");
    return 2;
  }
  return report("notify", measure(program, load), json);
}

}  // namespace
}  // namespace vibes::bench

int main(int argc, char** argv) { return vibes::bench::run(argc, argv); }
