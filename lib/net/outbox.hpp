// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "wire/frame_header.hpp"

namespace vibes::net {

/// Messages that wait for the socket, as complete frames, so that all of them go out in one write.
/// Holds no memory while empty. Whoever fills it on a client's request stops reading the socket
/// above some size.
class Outbox {
 public:
  void add(std::string_view text) {
    wire::append_text_frame_header(frames_, text.size());
    frames_ += text;
  }
  [[nodiscard]] bool empty() const { return frames_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return frames_.size(); }
  /// Everything, and the outbox is empty.
  [[nodiscard]] std::string take() { return std::exchange(frames_, std::string()); }

 private:
  std::string frames_;
};

}  // namespace vibes::net
