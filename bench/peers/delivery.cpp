// SPDX-License-Identifier: MIT
#include "peers/delivery.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>

#include "firehose/producers.hpp"
#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

constexpr int kPatienceMs = 5'000;
constexpr std::string_view kStamp = R"("sent_us":")";
constexpr std::size_t kDigits = 16;

std::string stamped_payload() {
  std::string number = std::to_string(static_cast<std::uint64_t>(now_us()));
  number.insert(0, kDigits - number.size(), '0');
  std::string payload = R"({"type":"note","session_id":"s",)";
  payload += kStamp;
  payload += number + R"(","pad":")";
  payload.append(kEventBytes - payload.size() - 2, 'x');
  return payload + "\"}";
}

double number_in(std::string_view digits) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + kDigits, number);
  return static_cast<double>(number);
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      die("send");
    }
    bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
}

/// Reads what comes and looks for the times in it, whatever is around them.
class Receiver {
 public:
  explicit Receiver(const Route& route) : route_(route), fd_(connect_to(route.receiver)) { ask(); }

  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Returns how many events came.
  std::size_t receive(std::vector<double>& samples) {
    static std::array<char, 64 * 1024> piece;
    const ssize_t got = ::recv(fd(), piece.data(), piece.size(), 0);
    const double now = now_us();
    if (got <= 0) {
      if (got < 0 && errno == EAGAIN) {
        return 0;
      }
      die("the server hung up");
    }
    rest_.append(piece.data(), static_cast<std::size_t>(got));
    const std::size_t before = seen_;
    take_stamps(samples, now);
    if (seen_ > before) {
      ask();
    }
    return seen_ - before;
  }

 private:
  void take_stamps(std::vector<double>& samples, double now) {
    std::string_view rest = rest_;
    for (std::size_t at = 0; (at = rest.find(kStamp)) != std::string_view::npos &&
                             rest.size() >= at + kStamp.size() + kDigits;) {
      rest.remove_prefix(at + kStamp.size());
      samples.push_back(now - number_in(rest));
      ++seen_;
    }
    // The start of a stamp may be at the end.
    const std::size_t keep = std::min(rest.size(), kStamp.size() + kDigits - 1);
    rest_ = std::string(rest.substr(rest.size() - keep));
  }

  void ask() const {
    if (route_.ask_again) {
      send_all(fd(), route_.ask_again(seen_));
    }
  }

  const Route& route_;
  UniqueFd fd_;
  std::string rest_;
  std::size_t seen_ = 0;
};

void produce(const Route& route, std::size_t events, double per_second) {
  const UniqueFd fd = connect_to(route.producer);
  std::array<char, 64 * 1024> answers{};
  double next = now_us();
  for (std::size_t number = 1; number <= events; ++number, next += 1e6 / per_second) {
    for (double now = now_us(); now < next; now = now_us()) {
      std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(next - now));
    }
    (void)!::recv(fd.get(), answers.data(), answers.size(), 0);
    send_all(fd.get(), route.append(stamped_payload(), number));
  }
  // Nobody reads the last acks; a server that is hung up on early might not have taken the event.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

void receive_all(std::vector<std::unique_ptr<Receiver>>& receivers, std::size_t expected,
                 std::vector<double>& samples) {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (const auto& receiver : receivers) {
    epoll_event event{EPOLLIN, {.ptr = receiver.get()}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, receiver->fd(), &event);
  }
  std::array<epoll_event, 128> ready{};
  for (std::size_t all = 0; all < expected;) {
    const int count = ::epoll_wait(epoll.get(), ready.data(), ready.size(), kPatienceMs);
    if (count <= 0) {
      die("an event did not come");
    }
    for (int i = 0; i < count; ++i) {
      auto* const receiver = static_cast<Receiver*>(ready[static_cast<std::size_t>(i)].data.ptr);
      all += receiver->receive(samples);
    }
  }
}

Endpoint plain(int port, std::string hello, std::string hello_end) {
  return {.port = port,
          .hello = std::move(hello),
          .hello_end = std::move(hello_end),
          .message = {},
          .take_acks = nullptr};
}

// --- MQTT 3.1.1, of which little is needed ---

std::string mqtt_packet(char type, std::string_view body) {
  std::string packet(1, type);
  std::size_t left = body.size();
  do {
    const std::size_t digit = left % 128;
    left /= 128;
    packet += static_cast<char>(digit | (left > 0 ? 128U : 0U));
  } while (left > 0);
  packet += body;
  return packet;
}

std::string mqtt_hello() {
  using namespace std::string_view_literals;
  // Clean session, no keep-alive, no client id; then the topic `e` at QoS 0.
  return mqtt_packet('\x10', "\0\4MQTT\4\2\0\0\0\0"sv) + mqtt_packet('\x82', "\0\1\0\1e\0"sv);
}

}  // namespace

std::vector<double> run_delivery(const Route& route, const Delivery& delivery) {
  const auto events = static_cast<std::size_t>(delivery.seconds * delivery.per_second);
  std::vector<std::unique_ptr<Receiver>> receivers;
  for (std::size_t i = 0; i < delivery.receivers; ++i) {
    receivers.push_back(std::make_unique<Receiver>(route));
  }
  std::vector<double> samples;
  samples.reserve(events * delivery.receivers);
  const std::jthread producer([&] { produce(route, events, delivery.per_second); });
  receive_all(receivers, events * delivery.receivers, samples);
  return samples;
}

Route vibes_route(int port) {
  return {.producer = plain(port, websocket_hello(port, "/ws/append"), "\r\n\r\n"),
          .receiver = plain(port, websocket_hello(port, "/ws/firehose?from=end"), "\r\n\r\n"),
          .append = [](std::string_view payload, std::size_t) { return masked_frame(payload); }};
}

Route redis_stream_route(int port, const std::string& key) {
  const Endpoint endpoint = plain(port, redis_command({"PING"}), "+PONG\r\n");
  // With ids of our own a receiver knows the last without looking for it.
  const auto id = [](std::size_t number) { return std::to_string(number) + "-0"; };
  return {.producer = endpoint,
          .receiver = endpoint,
          .append =
              [id, key](std::string_view payload, std::size_t number) {
                return redis_command({"XADD", key, id(number), "d", payload});
              },
          .ask_again =
              [id, key](std::size_t number) {
                return redis_command({"XREAD", "BLOCK", "0", "STREAMS", key, id(number)});
              }};
}

Route redis_pubsub_route(int port) {
  return {.producer = plain(port, redis_command({"PING"}), "+PONG\r\n"),
          .receiver = plain(port, redis_command({"SUBSCRIBE", "e"}), ":1\r\n"),
          .append = [](std::string_view payload, std::size_t) {
            return redis_command({"PUBLISH", "e", payload});
          }};
}

Route nats_core_route(int port) {
  return {.producer = plain(port, nats_hello("unused"), "PONG\r\n"),
          .receiver = plain(port, nats_hello("f"), "PONG\r\n"),
          .append = [](std::string_view payload, std::size_t) {
            std::string message = "PUB f " + std::to_string(payload.size()) + "\r\n";
            message += payload;
            return message + "\r\n";
          }};
}

Route mqtt_route(int port) {
  using namespace std::string_view_literals;
  // What comes last is the answer to the subscription.
  const Endpoint receiver = plain(port, mqtt_hello(), std::string("\x90\3\0\1\0"sv));
  const Endpoint producer =
      plain(port, mqtt_packet('\x10', "\0\4MQTT\4\2\0\0\0\0"sv), std::string("\x20\2\0\0"sv));
  return {.producer = producer,
          .receiver = receiver,
          .append = [](std::string_view payload, std::size_t) {
            std::string body("\0\1e"sv);
            body += payload;
            return mqtt_packet('\x30', body);
          }};
}

}  // namespace vibes::bench
