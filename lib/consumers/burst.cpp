// SPDX-License-Identifier: MIT
#include "consumers/burst.hpp"

#include <utility>

namespace vibes::consumers {

BurstMaker::BurstMaker(const BurstRequest& request, std::string& scratch)
    : request_(request), scratch_(scratch), scratch_begin_(scratch.size()) {
  burst_.next = request.from;
}

bool BurstMaker::take(std::shared_ptr<const FrameChunk> chunk, Offset to) {
  burst_.chunk = std::move(chunk);
  const Offset before = burst_.next;
  const bool everything = request_.filter == nullptr || request_.filter->matches_everything();
  const bool view = everything && request_.shape == BurstShape::frames;
  const bool full = view ? take_view(to) : take_copies(to);
  if (burst_.next > before) {
    burst_.cursor_check = burst_.chunk->cursor_check(burst_.next - 1);
  }
  return full;
}

// Everything that one chunk holds, as a view of its bytes.
bool BurstMaker::take_view(Offset to) {
  const Offset from = burst_.next;
  burst_.next = burst_.chunk->fit(from, to, request_.bytes_max);
  burst_.bytes = burst_.chunk->frames(from, burst_.next);
  burst_.events = burst_.next - from;
  burst_.last_end = burst_.next;
  return true;
}

// What matches in one chunk, copied.
bool BurstMaker::take_copies(Offset to) {
  static const event::Filter kEverything;
  const event::Filter& filter = request_.filter == nullptr ? kEverything : *request_.filter;
  FrameChunk::Matcher matches(*burst_.chunk, filter);
  const bool envelopes = request_.shape == BurstShape::envelopes;
  for (; burst_.next < to; ++burst_.next) {
    if (!matches(burst_.next)) {
      continue;
    }
    const std::string_view text =
        envelopes ? burst_.chunk->envelope_rest(burst_.next) : burst_.chunk->frame(burst_.next);
    constexpr std::size_t kSeparatorBytes = 2;
    if (burst_.events > 0 &&
        scratch_.size() - scratch_begin_ + text.size() + kSeparatorBytes > request_.bytes_max) {
      return true;
    }
    if (envelopes) {
      scratch_ += burst_.events > 0 ? ",{" : "{";
    }
    scratch_ += text;
    ++burst_.events;
    burst_.last_end = burst_.next + 1;
  }
  return false;
}

Burst BurstMaker::finish() {
  if (scratch_.size() > scratch_begin_) {
    burst_.bytes = std::string_view(scratch_).substr(scratch_begin_);
  }
  return std::move(burst_);
}

}  // namespace vibes::consumers
