// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "wire/frame_header.hpp"

namespace vibes::wire {

/// Gets what a FrameSorter finds.
class FrameSink {
 public:
  FrameSink() = default;
  FrameSink(const FrameSink&) = delete;
  FrameSink& operator=(const FrameSink&) = delete;
  virtual ~FrameSink() = default;

  /// A header, or what there is of it: called again when more of it has come. False: it breaks a
  /// rule.
  virtual bool accept(const FrameHeader& header) = 0;
  /// The next piece of a frame of a message, without its mask; of an empty frame the empty one. It
  /// lives until this returns. False: no more for now.
  virtual bool take(const FrameHeader& header, std::string_view piece, bool frame_ends) = 0;
};

/// Takes the messages out of a stream of WebSocket frames (RFC 6455 §5), in pieces of any size, and
/// leaves the control frames to the library that reads the socket. That library would go through
/// every message byte by byte.
class FrameSorter {
 public:
  struct Sorted {
    std::size_t kept = 0;   // bytes of control frames, at the front now
    std::size_t taken = 0;  // bytes that were looked at: all, unless the sink wanted no more
    bool broken = false;    // a header was not accepted: nothing behind it means anything
  };

  /// Works in place: takes masks off, and moves control frames to the front.
  Sorted sort(std::span<char> bytes, FrameSink& sink);

 private:
  FrameHeader header_;
  std::uint64_t done_ = 0;  // of its payload, once it is whole
};

}  // namespace vibes::wire
