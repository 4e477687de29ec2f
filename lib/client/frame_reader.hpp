// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "client/tail_client.hpp"

namespace vibes::client {

/// A frame of the firehose as it came, before the client acts on it.
struct HelloFrame {
  Hello hello;
  std::string cursor;
};
struct PositionFrame {
  PositionReport report;
  std::string cursor;
};
struct ErrorFrame {
  std::string code;
  std::string message;
};
struct OtherFrame {};  // a type we do not know: a newer server's, to be passed over

using Frame = std::variant<HelloFrame, Events, PositionFrame, GapReport, Committed, Assigned, Ended,
                           ErrorFrame, OtherFrame>;

/// Takes frames apart without building a tree: the bytes of an event stay as they are. The views in
/// the result live until the next call.
class FrameReader {
 public:
  FrameReader();
  ~FrameReader();

  /// Errors: Errc::bad_answer.
  Result<Frame> read(std::string_view text);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vibes::client
