// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vibes::cli {

/// Where a curve is after a message.
struct CurveReading {
  std::uint64_t message = 0;  // from 1
  double value = 0;           // 0 to 1
};

/// What is drawn: values from 0 to 1 over messages from 1 to `messages`. Between two readings the
/// value stays and changes with the later one; before the first it is 0.
struct CurvePicture {
  std::vector<CurveReading> readings = {};  // by message, rising
  std::uint64_t messages = 0;
  double threshold = 0.7;  // where a line is drawn
  std::vector<std::uint64_t> checkpoints = {};
  std::vector<std::uint64_t> interventions = {};
};

struct CurveStyle {
  std::size_t columns = 80;
  bool utf8 = false;  // blocks and lines, else ASCII
  bool color = false;
};

/// The picture as lines of at most `columns`: ten rows of 0.1 with the axis under them, marks of
/// checkpoints and interventions, the messages' numbers and a legend. Every column shows the
/// highest value of its messages, and a bar stands in the row of the threshold only where that is
/// reached. Empty where there is nothing to draw or no room.
std::string draw_curve(const CurvePicture& picture, const CurveStyle& style);

}  // namespace vibes::cli
