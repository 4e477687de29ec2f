// SPDX-License-Identifier: MIT
#include "net/frame_guard.hpp"

#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "wire/frame_sorter.hpp"

namespace vibes::net {
namespace {

constexpr std::size_t kLimit = 1'000;

/// A masked frame of this first byte; `length` overrides the announced one.
std::string frame(unsigned first, std::size_t payload, std::optional<std::uint64_t> length = {}) {
  const std::uint64_t announced = length.value_or(payload);
  std::string bytes(1, static_cast<char>(first));
  const std::size_t extended = announced < 126 ? 0 : announced < 65'536 ? 2 : 8;
  bytes += static_cast<char>(0x80U | (extended == 0 ? announced : extended == 2 ? 126U : 127U));
  for (std::size_t i = extended; i-- > 0;) {
    bytes += static_cast<char>(announced >> (8 * i));
  }
  return bytes + "mask" + std::string(payload, 'x');
}

struct Outcome {
  std::size_t passed = 0;
  std::optional<CloseCode> code;
  std::uint64_t messages = 0;
  bool in_message = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Frames on their way through a guard.
class Guarded : public wire::FrameSink {
 public:
  bool accept(const wire::FrameHeader& header) override { return guard.accept(header); }
  bool take(const wire::FrameHeader& header, std::string_view /*piece*/, bool frame_ends) override {
    if (frame_ends) {
      guard.end_frame(header);
    }
    return true;
  }

  FrameGuard guard{kLimit};
};

Outcome feed(std::string bytes, const std::vector<std::size_t>& cuts = {}) {
  Guarded guarded;
  wire::FrameSorter sorter;
  Outcome outcome;
  std::size_t at = 0;
  bool broken = false;
  for (std::size_t i = 0; i <= cuts.size() && !broken; ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    const auto sorted = sorter.sort(std::span(bytes).subspan(at, end - at), guarded);
    outcome.passed += sorted.taken;
    broken = sorted.broken;
    at = end;
  }
  const FrameGuard& guard = guarded.guard;
  CHECK(broken == guard.breach().has_value());
  if (guard.breach()) {
    CHECK(!guard.breach()->reason.empty());
    outcome.code = guard.breach()->code;
  }
  outcome.messages = guard.messages();
  outcome.in_message = guard.in_message();
  return outcome;
}

TEST_CASE("FrameGuard: what keeps the rules passes", "[net]") {
  const std::string text = frame(0x81, 5);
  CHECK(feed(text) == Outcome{text.size(), {}, 1, false});
  CHECK(feed(frame(0x81, 0)) == Outcome{6, {}, 1, false});
  const std::string fragments = frame(0x01, 3) + frame(0x89, 125) + frame(0x00, 0) + frame(0x8A, 1);
  CHECK(feed(fragments) == Outcome{fragments.size(), {}, 1, true});
  const std::string all = fragments + frame(0x80, 126) + frame(0x82, 1'000) + frame(0x88, 2);
  CHECK(feed(all) == Outcome{all.size(), {}, 2, false});
}

TEST_CASE("FrameGuard: a frame that breaks a rule is held back whole, with what follows", "[net]") {
  const std::string good = frame(0x81, 200);
  std::vector<std::string> bad{frame(0xC1, 1), frame(0xA1, 1),   frame(0x91, 1),
                               frame(0x09, 1), frame(0x89, 126), frame(0x80, 1)};
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    bad.push_back(frame(0x80U | opcode, 1));
  }
  bad.push_back(frame(0x81, 1, std::uint64_t{1} << 63U));
  std::string unmasked = frame(0x81, 5);
  unmasked[1] = '\x05';
  bad.push_back(unmasked);
  for (const std::string& broken : bad) {
    CHECK(feed(good + broken + good).passed == good.size());
    CHECK(feed(good + broken).code == CloseCode::protocol_error);
  }
  const std::string begun = frame(0x01, 5);
  CHECK(feed(begun + frame(0x81, 1)) == Outcome{begun.size(), CloseCode::protocol_error, 1, true});
}

TEST_CASE("FrameGuard: a message over its limit is refused when it is announced", "[net]") {
  CHECK(!feed(frame(0x81, kLimit)).code);
  CHECK(feed(frame(0x81, 0, kLimit + 1)).code == CloseCode::too_big);
  CHECK(feed(frame(0x81, 0, (std::uint64_t{1} << 63U) - 1)).code == CloseCode::too_big);
  const std::string half = frame(0x01, 600);
  CHECK(feed(half + frame(0x89, 100) + frame(0x80, 400)).code == std::nullopt);
  CHECK(feed(half + frame(0x00, 0, 401)).passed == half.size());
  CHECK(feed(half + frame(0x00, 0, 401)).code == CloseCode::too_big);
  CHECK(!feed(frame(0x81, kLimit) + frame(0x81, kLimit)).code);
}

TEST_CASE(
    "FrameGuard: how the bytes are cut up makes no difference but to what a broken frame lets "
    "slip",
    "[net]") {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
      bytes += frame(static_cast<unsigned>(random() % 256), random() % 300);
    }
    const Outcome whole = feed(bytes);
    std::vector<std::size_t> cuts;
    for (std::size_t at = random() % 9; at < bytes.size(); at += 1 + random() % 9) {
      cuts.push_back(at);
    }
    Outcome cut = feed(bytes, cuts);
    CHECK(cut.passed >= whole.passed);
    CHECK(cut.passed <= whole.passed + 9);  // of the broken frame's header
    cut.passed = whole.passed;
    CHECK(cut == whole);
  }
}

}  // namespace
}  // namespace vibes::net
