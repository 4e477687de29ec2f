// SPDX-License-Identifier: MIT
// However a client's bytes are cut up, the same messages and control frames come out, and the same
// rule is broken.
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "net/frame_guard.hpp"
#include "wire/frame_sorter.hpp"

using namespace vibes;

namespace {

constexpr std::size_t kMessageBytesMax = 1'000;

class Outcome : public wire::FrameSink {
 public:
  bool accept(const wire::FrameHeader& header) override { return guard_.accept(header); }
  bool take(const wire::FrameHeader& header, std::string_view piece, bool frame_ends) override {
    message_ += piece;
    if (frame_ends) {
      guard_.end_frame(header);
    }
    if (frame_ends && header.is_final()) {
      messages.push_back(std::exchange(message_, {}));
    }
    return true;
  }
  [[nodiscard]] std::optional<net::CloseCode> code() const {
    return guard_.breach() ? std::optional(guard_.breach()->code) : std::nullopt;
  }

  std::vector<std::string> messages;

 private:
  net::FrameGuard guard_{kMessageBytesMax};
  std::string message_;
};

void feed(std::string bytes, std::size_t piece, Outcome& outcome) {
  wire::FrameSorter sorter;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
    const auto sorted = sorter.sort(part, outcome);
    VIBES_ASSERT(sorted.kept <= sorted.taken && sorted.taken <= part.size());
    if (sorted.broken) {
      return;
    }
    VIBES_ASSERT(sorted.taken == part.size());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(fuzz::text_of(data, size));
  Outcome whole;
  feed(bytes, bytes.size() + 1, whole);
  for (const std::size_t piece : {1U, 2U, 3U, 13U}) {
    Outcome cut;
    feed(bytes, piece, cut);
    VIBES_ASSERT(cut.messages == whole.messages);
    VIBES_ASSERT(cut.code() == whole.code());
  }
  for (const std::string& message : whole.messages) {
    VIBES_ASSERT(message.size() <= kMessageBytesMax);
  }
  return 0;
}
