// SPDX-License-Identifier: MIT
#include "consumers/frame_chunk.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "event/codec.hpp"
#include "event/cursor.hpp"
#include "wire/frame_header.hpp"

namespace vibes::consumers {
namespace {

constexpr std::string_view kFramePrefix = R"({"type":"event")";
// Frame header, prefix, event_id, offset and time with their names: all of a frame but the payload.
constexpr std::size_t kOverheadBytesMax = 256;
static_assert(limits::kWriteChunkBytes == PageStore::kBlockBytes);
// What the header of almost every frame takes: 126 to 65,535 bytes of text.
constexpr std::size_t kUsualHeaderBytes = 4;

}  // namespace

std::size_t append_event_text_frame(std::string& out, const event::EventView& event) {
  const std::size_t begin = out.size();
  out.append(kUsualHeaderBytes, '\0');
  out += kFramePrefix;
  const std::size_t comma = out.size();
  event::append_envelope(out, event);
  out[comma] = ',';  // instead of the envelope's opening brace

  std::string header;  // short enough to need no allocation
  wire::append_text_frame_header(header, out.size() - begin - kUsualHeaderBytes);
  out.replace(begin, kUsualHeaderBytes, header);
  return comma + 1 + header.size() - kUsualHeaderBytes;
}

FrameChunk::FrameChunk(const event::EventView& first, PageStore::Block pages)
    : FrameChunk(first.offset, std::max(limits::kWriteChunkBytes, bytes_needed(first)),
                 std::move(pages)) {}

FrameChunk::FrameChunk(Offset first, std::size_t capacity_bytes, PageStore::Block pages)
    : first_(first), memory_(capacity_bytes, std::move(pages)) {
  entries_.resize(kEventsMax);
}

std::size_t FrameChunk::bytes_needed(const event::EventView& event) {
  return event.payload.size() + kOverheadBytesMax;
}

bool FrameChunk::has_room_for(const event::EventView& event) const {
  if (published_.load(std::memory_order_relaxed) == kEventsMax ||
      memory_.used_bytes() + bytes_needed(event) > memory_.capacity_bytes()) {
    return false;
  }
  return kinds_used_ < kKindsMax || find_kind(event) < kinds_used_;
}

std::size_t FrameChunk::find_kind(const event::EventView& event) const {
  // Backwards, because neighbours are often of one kind.
  for (std::size_t i = kinds_used_; i-- > 0;) {
    if (kinds_[i].type == event.type && kinds_[i].session == event.session) {
      return i;
    }
  }
  return kinds_used_;
}

void FrameChunk::append(const event::EventView& event) {
  VIBES_ASSERT(event.offset == end() && has_room_for(event));
  const std::size_t kind = find_kind(event);
  if (kind == kinds_used_) {
    kinds_[kinds_used_++] = Kind{std::string(event.type), std::string(event.session)};
  }

  static thread_local std::string frame;
  frame.clear();
  const std::size_t begin = memory_.used_bytes();
  const std::size_t envelope = begin + append_event_text_frame(frame, event);
  memory_.append(frame);
  if (frame.capacity() > 4 * limits::kWriteChunkBytes) {
    frame = std::string();  // one large event is no reason to keep so much
  }

  Entry& entry = entries_[event.offset - first_];
  entry.begin = static_cast<std::uint32_t>(begin);
  entry.envelope = static_cast<std::uint32_t>(envelope);
  entry.end = static_cast<std::uint32_t>(memory_.used_bytes());
  entry.cursor_check = event::cursor_check(event);
  entry.kind = static_cast<std::uint8_t>(kind);
  published_.store(event.offset - first_ + 1, std::memory_order_release);
}

std::string_view FrameChunk::frames(Offset from, Offset to) const {
  VIBES_ASSERT(from >= first_ && from < to);
  const std::size_t begin = entry(from).begin;
  return {memory_.data() + begin, entry(to - 1).end - begin};
}

Offset FrameChunk::fit(Offset from, Offset to, std::size_t bytes_max) const {
  const std::size_t begin = entry(from).begin;
  if (entry(to - 1).end - begin <= bytes_max) {
    return to;
  }
  const auto* const first_past =
      std::upper_bound(&entry(from), &entry(to - 1), begin + bytes_max,
                       [](std::size_t limit, const Entry& e) { return limit < e.end; });
  const auto fitting = static_cast<std::uint64_t>(first_past - &entry(from));
  return from + std::max<std::uint64_t>(fitting, 1);
}

std::string_view FrameChunk::envelope_rest(Offset offset) const {
  const Entry& e = entry(offset);
  return {memory_.data() + e.envelope, e.end - e.envelope};
}

std::uint32_t FrameChunk::cursor_check(Offset offset) const { return entry(offset).cursor_check; }

bool FrameChunk::Matcher::operator()(Offset offset) {
  const std::size_t kind = chunk_.entry(offset).kind;
  if (verdicts_[kind] == Verdict::unknown) {
    const Kind& asked = chunk_.kinds_[kind];
    verdicts_[kind] = filter_.matches(asked.type, asked.session) ? Verdict::yes : Verdict::no;
  }
  return verdicts_[kind] == Verdict::yes;
}

}  // namespace vibes::consumers
