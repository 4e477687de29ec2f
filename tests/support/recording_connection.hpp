// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "net/connection.hpp"

namespace vibes::test {

/// A clock that moves when it is told to.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {unix_us_}; }
  [[nodiscard]] std::int64_t steady_ns() const override { return steady_ns_; }
  void advance(std::chrono::nanoseconds by) {
    steady_ns_ += by.count();
    unix_us_ += by.count() / 1'000;
  }

 private:
  std::int64_t unix_us_ = 1'767'225'600'000'000;
  std::int64_t steady_ns_ = 1'000'000'000;
};

/// Takes complete, unmasked text frames apart, and throws at anything that is not exactly that.
inline std::vector<std::string> split_frames(std::string_view bytes) {
  std::vector<std::string> texts;
  while (!bytes.empty()) {
    const auto at = [&bytes](std::size_t i) {
      if (i >= bytes.size()) {
        throw std::runtime_error("a frame header is cut off");
      }
      return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
    };
    if (at(0) != 0x81) {
      throw std::runtime_error("not a final text frame");
    }
    std::size_t header = 2;
    std::uint64_t size = at(1);
    const std::size_t extended = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (extended != 0) {
      size = 0;
      for (std::size_t i = 0; i < extended; ++i) {
        size = size << 8U | at(header++);
      }
    } else if (size > 125) {
      throw std::runtime_error("a masked frame");
    }
    if ((extended == 2 && size < 126) || (extended == 8 && size <= 0xFFFF)) {
      throw std::runtime_error("a length that is not the shortest");
    }
    if (bytes.size() - header < size) {
      throw std::runtime_error("a frame is cut off");
    }
    texts.emplace_back(bytes.substr(header, size));
    bytes.remove_prefix(header + size);
  }
  return texts;
}

/// A connection without a socket: keeps what an endpoint sends, and holds it to the rules of the
/// seam.
class RecordingConnection final : public net::Connection {
 public:
  RecordingConnection() : posts_(std::make_shared<Posts>()) {}
  ~RecordingConnection() override { end(); }

  // --- net::Connection ---

  void request_write() override { write_requested_ = true; }
  void write_text(std::string_view text) override {
    begin_write();
    largest_write_ = std::max(largest_write_, text.size());
    texts_.emplace_back(text);
  }
  void write_frames(std::string_view frames) override {
    begin_write();
    largest_write_ = std::max(largest_write_, frames.size());
    for (std::string& text : split_frames(frames)) {
      texts_.push_back(std::move(text));
    }
  }
  void close(net::CloseCode code, std::string_view reason) override {
    if (!close_code_) {
      close_code_ = code;
      close_reason_ = reason;
    }
  }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override { paused_ = false; }
  void set_timer(std::optional<std::chrono::milliseconds> delay) override { timer_ = delay; }
  Poster poster() override { return make_poster(); }
  Poster quiet_poster() override { return make_poster(); }

  // --- What a test does with it ---

  /// The socket takes one write, if one was asked for. False: it was not.
  bool writable(net::Endpoint& endpoint) {
    if (!std::exchange(write_requested_, false) || close_code_) {
      return false;
    }
    may_write_ = true;
    endpoint.on_writable();
    may_write_ = false;
    return true;
  }
  /// Runs what other threads posted. True: there was something.
  bool run_posts() {
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(posts_->mutex);
      tasks.swap(posts_->tasks);
    }
    for (const auto& task : tasks) {
      task();
    }
    return !tasks.empty();
  }
  /// Until nothing is left to do.
  void settle(net::Endpoint& endpoint) {
    while (run_posts() || writable(endpoint)) {
    }
  }
  /// The timer that is set fires, `clock` having moved on that far. False: none was set.
  bool fire_timer(net::Endpoint& endpoint, ManualClock& clock) {
    const auto delay = std::exchange(timer_, std::nullopt);
    if (!delay || close_code_) {
      return false;
    }
    clock.advance(*delay);
    endpoint.on_timer();
    return true;
  }
  /// The connection ends: posted tasks do not run any more.
  void end() {
    const std::lock_guard lock(posts_->mutex);
    posts_->ended = true;
    posts_->tasks.clear();
  }

  std::vector<std::string> take_texts() { return std::exchange(texts_, {}); }
  [[nodiscard]] std::optional<net::CloseCode> close_code() const { return close_code_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool write_requested() const { return write_requested_; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> timer() const { return timer_; }
  [[nodiscard]] std::size_t largest_write() const { return largest_write_; }

 private:
  struct Posts {
    std::mutex mutex;
    std::vector<std::function<void()>> tasks;
    bool ended = false;
  };

  void begin_write() {
    if (!std::exchange(may_write_, false)) {
      throw std::logic_error("a write outside on_writable(), or the second one in it");
    }
    if (close_code_) {
      throw std::logic_error("a write after close()");
    }
  }
  Poster make_poster() {
    return [posts = posts_](std::function<void()> task) {
      const std::lock_guard lock(posts->mutex);
      if (!posts->ended) {
        posts->tasks.push_back(std::move(task));
      }
    };
  }

  std::shared_ptr<Posts> posts_;  // shared with posters, which may outlive the connection
  std::vector<std::string> texts_;
  std::optional<net::CloseCode> close_code_;
  std::string close_reason_;
  std::optional<std::chrono::milliseconds> timer_;
  std::size_t largest_write_ = 0;
  bool write_requested_ = false;
  bool may_write_ = false;
  bool paused_ = false;
};

/// A query made of pairs.
class TestQuery final : public net::Query {
 public:
  TestQuery(std::initializer_list<std::pair<std::string, std::string>> values = {})
      : values_(values) {}
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override {
    for (const auto& [key, value] : values_) {
      if (key == name) {
        return value;
      }
    }
    return std::nullopt;
  }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace vibes::test
