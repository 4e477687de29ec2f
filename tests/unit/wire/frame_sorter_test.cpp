// SPDX-License-Identifier: MIT
#include "wire/frame_sorter.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace vibes::wire {
namespace {

/// A frame of this first byte; masked where it has a key.
std::string frame(unsigned first, std::string payload, bool masked) {
  std::string bytes;
  append_text_frame_header(bytes, payload.size());
  bytes[0] = static_cast<char>(first);
  if (masked) {
    const MaskingKey key{0x11, 0x22, 0x33, 0x44};
    bytes[1] = static_cast<char>(bytes[1] | '\x80');
    bytes.append(key.begin(), key.end());
    apply_mask(payload, key, 0);
  }
  return bytes + payload;
}

/// Takes everything, or `appetite` pieces at a time.
class Collector : public FrameSink {
 public:
  bool accept(const FrameHeader& header) override {
    return !(header.opcode() == static_cast<Opcode>(3));
  }
  bool take(const FrameHeader& header, std::string_view piece, bool frame_ends) override {
    current += piece;
    if (frame_ends) {
      current += '|';
      if (header.is_final()) {
        messages.push_back(std::exchange(current, {}));
      }
    }
    return ++pieces < appetite;
  }

  std::size_t appetite = 1'000'000;
  std::size_t pieces = 0;
  std::string current;
  std::vector<std::string> messages;
};

std::string kept(const std::string& bytes, const FrameSorter::Sorted& sorted) {
  return bytes.substr(0, sorted.kept);
}

TEST_CASE("FrameSorter: messages go to the sink, control frames stay, wherever the cuts are",
          "[wire]") {
  const bool masked = GENERATE(false, true);
  const std::string ping = frame(0x89, "ping", masked);
  const std::string close = frame(0x88, "\x03\xe8", masked);
  const std::string longer(300, 'l');
  const std::string longest(70'000, 'L');
  const std::string all = frame(0x81, "one", masked) + ping + frame(0x01, "tw", masked) + ping +
                          frame(0x00, "", masked) + frame(0x80, "o", masked) +
                          frame(0x81, longer, masked) + frame(0x82, longest, masked) +
                          frame(0x81, "", masked) + close;
  const auto piece = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{60'000},
                              std::size_t{1'000'000});
  FrameSorter sorter;
  Collector sink;
  std::string control;
  for (std::size_t at = 0; at < all.size(); at += piece) {
    std::string bytes = all.substr(at, piece);
    const auto sorted = sorter.sort(bytes, sink);
    CHECK(sorted.taken == bytes.size());
    CHECK(!sorted.broken);
    control += kept(bytes, sorted);
  }
  CHECK(control == ping + ping + close);
  CHECK((sink.messages ==
         std::vector<std::string>{"one|", "tw||o|", longer + "|", longest + "|", "|"}));
}

TEST_CASE("FrameSorter: a sink that has had enough gets the rest later", "[wire]") {
  const std::string ping = frame(0x89, "ping", true);
  std::string bytes =
      frame(0x81, "one", true) + ping + frame(0x81, "", true) + frame(0x81, "three", true) + ping;
  FrameSorter sorter;
  Collector sink;
  sink.appetite = 1;
  std::string control;
  std::size_t rounds = 0;
  while (!bytes.empty()) {
    sink.pieces = 0;
    const auto sorted = sorter.sort(bytes, sink);
    CHECK(sink.pieces <= 1);
    control += kept(bytes, sorted);
    bytes.erase(0, sorted.taken);
    ++rounds;
  }
  CHECK(rounds == 4);
  CHECK((sink.messages == std::vector<std::string>{"one|", "|", "three|"}));
  CHECK(control == ping + ping);
}

TEST_CASE("FrameSorter: behind a header that is not accepted nothing is looked at", "[wire]") {
  const std::string good = frame(0x81, "good", true);
  std::string bytes = good + frame(0x83, "bad", true) + good;
  FrameSorter sorter;
  Collector sink;
  const auto sorted = sorter.sort(bytes, sink);
  CHECK(sorted.broken);
  CHECK(sorted.taken == good.size());
  CHECK(sorted.kept == 0);
  CHECK(sink.messages == std::vector<std::string>{"good|"});
}

}  // namespace
}  // namespace vibes::wire
