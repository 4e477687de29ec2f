// SPDX-License-Identifier: MIT
#include "firehose/producers.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <string_view>

#include <poll.h>

#include "firehose/raw_client.hpp"
#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

std::uint64_t number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  std::uint64_t number = 0;
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + name.size(), text.data() + text.size(), number);
  }
  return number;
}

/// Events acknowledged by one answer; ends the program at a nack.
std::uint64_t acknowledged(std::string_view answer) {
  if (!answer.starts_with(R"({"type":"ack")")) {
    die("unexpected answer: " + std::string(answer));
  }
  return number_after(answer, R"("count":)");
}

class Producer {
 public:
  Producer(const Address& server, std::size_t window)
      : client_(server, "/ws/append"), window_(window) {
    client_.set_nonblocking();
    const std::string frame = client_frame(sample_event(1));
    frame_bytes_ = frame.size();
    for (std::size_t i = 0; i < window_; ++i) {
      frames_ += frame;
    }
  }

  void fill_window() {
    const std::size_t room = window_ - sent_.size();
    if (room < std::max<std::size_t>(1, window_ / 4)) {
      return;  // a client sends what it has in one go, not event by event
    }
    sent_.insert(sent_.end(), room, now_us());
    client_.send(std::string_view(frames_).substr(0, room * frame_bytes_));
  }
  void take_acks(AppendRun& run, std::uint64_t& acked) {
    client_.receive([&](std::string_view answer) {
      const double now = now_us();
      for (std::uint64_t count = acknowledged(answer); count > 0; --count) {
        run.ack_us.push_back(now - sent_.front());
        sent_.pop_front();
        ++acked;
      }
    });
  }
  [[nodiscard]] int fd() const { return client_.fd(); }
  [[nodiscard]] bool idle() const { return sent_.empty(); }

 private:
  RawClient client_;
  std::size_t window_;
  std::size_t frame_bytes_ = 0;
  std::string frames_;
  std::deque<double> sent_;
};

}  // namespace

std::string sample_event(std::uint64_t number) {
  std::string event =
      R"({"type":"claude","session_id":"sess-1","event":{"type":"text_delta","text":")";
  const std::string tail = R"("},"n":)" + std::to_string(number) + "}";
  event.append(kEventBytes - event.size() - tail.size(), 'x');
  return event + tail;
}

AppendRun run_producers(const Address& server, std::size_t producers, std::size_t window,
                        double seconds) {
  std::vector<std::unique_ptr<Producer>> all;
  std::vector<pollfd> fds;
  for (std::size_t i = 0; i < producers; ++i) {
    all.push_back(std::make_unique<Producer>(server, window));
    fds.push_back({all.back()->fd(), POLLIN, 0});
  }
  AppendRun run;
  std::uint64_t acked = 0;
  const double start = now_us();
  const double stop = start + seconds * 1e6;
  bool sending = true;
  for (;;) {
    sending = sending && now_us() < stop;
    bool waiting = false;
    for (const auto& producer : all) {
      if (sending) {
        producer->fill_window();
      }
      waiting = waiting || !producer->idle();
    }
    if (!waiting) {
      break;
    }
    ::poll(fds.data(), fds.size(), 1'000);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if ((fds[i].revents & POLLIN) != 0) {
        all[i]->take_acks(run, acked);
      }
    }
  }
  run.events_per_second = static_cast<double>(acked) / ((now_us() - start) / 1e6);
  return run;
}

void append_all(const Address& server, std::uint64_t events) {
  constexpr std::uint64_t kBatch = 500;
  RawClient client(server, "/ws/append");
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  constexpr std::uint64_t kAhead = 20 * kBatch;
  while (acked < events) {
    while (sent < events && sent - acked < kAhead) {
      std::string batch;
      for (const std::uint64_t to = std::min(events, sent + kBatch); sent < to; ++sent) {
        batch += sample_event(sent) + '\n';
      }
      client.send(client_frame(batch));
    }
    client.receive([&](std::string_view answer) { acked += acknowledged(answer); });
  }
}

}  // namespace vibes::bench
