// SPDX-License-Identifier: MIT
#include "wire/frame_sorter.hpp"

#include <algorithm>
#include <cstring>

namespace vibes::wire {

FrameSorter::Sorted FrameSorter::sort(std::span<char> bytes, FrameSink& sink) {
  Sorted sorted;
  const auto keep = [&](std::span<const char> piece) {
    std::memmove(bytes.data() + sorted.kept, piece.data(), piece.size());
    sorted.kept += piece.size();
  };
  bool wanted = true;
  while (wanted && sorted.taken < bytes.size()) {
    if (!header_.is_whole()) {
      const auto rest = bytes.subspan(sorted.taken);
      const std::size_t count = header_.take({rest.data(), rest.size()});
      if (!sink.accept(header_)) {
        sorted.broken = true;
        return sorted;
      }
      if (header_.is_control()) {
        keep(rest.first(count));
      }
      sorted.taken += count;
      done_ = 0;
      if (!header_.is_whole()) {
        return sorted;
      }
    }
    const std::uint64_t left = header_.payload_bytes() - done_;
    const auto count = std::min<std::uint64_t>(left, bytes.size() - sorted.taken);
    const auto piece = bytes.subspan(sorted.taken, count);
    const bool frame_ends = count == left;
    if (header_.is_control()) {
      keep(piece);
    } else if (frame_ends || count > 0) {
      if (header_.is_masked()) {
        apply_mask(piece, header_.masking_key(), done_);
      }
      wanted = sink.take(header_, {piece.data(), piece.size()}, frame_ends);
    }
    sorted.taken += count;
    done_ += count;
    if (frame_ends) {
      header_.clear();
    }
  }
  return sorted;
}

}  // namespace vibes::wire
