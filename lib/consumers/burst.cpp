// SPDX-License-Identifier: MIT
#include "consumers/burst.hpp"

#include <utility>

namespace vibes::consumers {

BurstMaker::BurstMaker(const BurstRequest& request, std::string& scratch)
    : request_(request), scratch_(scratch), scratch_begin_(scratch.size()) {
  burst_.next = request.from;
}

bool BurstMaker::take(const std::shared_ptr<const FrameChunk>& chunk, Offset to) {
  const Offset before = burst_.next;
  const bool everything = request_.filter == nullptr || request_.filter->matches_everything();
  const bool view = everything && request_.shape == BurstShape::frames;
  const bool full = view ? take_view(chunk, to) : take_copies(*chunk, to);
  if (burst_.next > before) {
    burst_.cursor_check = chunk->cursor_check(burst_.next - 1);
  }
  return full;
}

// Everything that one chunk holds, as a view of its bytes.
bool BurstMaker::take_view(const std::shared_ptr<const FrameChunk>& chunk, Offset to) {
  const Offset from = burst_.next;
  burst_.memory = std::shared_ptr<const FrameMemory>(chunk, &chunk->memory());
  burst_.next = chunk->fit(from, to, request_.bytes_max);
  burst_.bytes = chunk->frames(from, burst_.next);
  burst_.events = burst_.next - from;
  burst_.last_end = burst_.next;
  return true;
}

// What matches in one chunk, copied.
bool BurstMaker::take_copies(const FrameChunk& chunk, Offset to) {
  static const event::Filter kEverything;
  const event::Filter& filter = request_.filter == nullptr ? kEverything : *request_.filter;
  FrameChunk::Matcher matches(chunk, filter);
  const bool envelopes = request_.shape == BurstShape::envelopes;
  for (; burst_.next < to; ++burst_.next) {
    if (!matches(burst_.next)) {
      continue;
    }
    const std::string_view text =
        envelopes ? chunk.envelope_rest(burst_.next) : chunk.frame(burst_.next);
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
