// SPDX-License-Identifier: MIT
#include "cli/curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace vibes::cli {
namespace {

constexpr std::size_t kRows = 10;
constexpr std::size_t kSteps = 8;         // of a bar's height in a row
constexpr std::size_t kLabelColumns = 5;  // "0.7 ┤"
constexpr std::size_t kColumnsMin = 30;   // the legend needs them
constexpr std::size_t kColumnsMax = 500;
constexpr double kVisible = 0.005;
constexpr std::size_t kColumnsPerTick = 10;

enum class Paint : std::uint8_t { none, dim, calm, bad, mark };

std::string_view code_of(Paint paint) {
  switch (paint) {
    case Paint::none:
      return {};
    case Paint::dim:
      return "\x1b[2m";
    case Paint::calm:
      return "\x1b[36m";
    case Paint::bad:
      return "\x1b[31m";
    case Paint::mark:
      return "\x1b[35m";
  }
  return {};
}

struct Glyphs {
  std::array<std::string_view, kSteps + 1> bars;
  std::string_view side;
  std::string_view side_tick;
  std::string_view corner;
  std::string_view bottom;
  std::string_view bottom_tick;
  std::string_view threshold;
  std::string_view checkpoint;
  std::string_view intervention;
};
constexpr Glyphs kUtf8 = {
    {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, "│", "┤", "└", "─", "┬", "┄", "▴", "!"};
constexpr Glyphs kAscii = {
    {" ", ".", ".", ":", ":", ":", "#", "#", "#"}, "|", "+", "+", "-", "+", "-", "^", "!"};

/// The curve as a line through its corners.
class Line {
 public:
  explicit Line(const CurvePicture& picture) {
    Corner last{1, 0};
    for (const CurveReading& reading : picture.readings) {
      const Corner next{static_cast<double>(reading.message), reading.value};
      if (next.message > last.message + 1 || corners_.empty()) {
        add({std::max(1.0, next.message - 1), last.value});
      }
      add(next);
      last = next;
    }
    add({static_cast<double>(picture.messages), last.value});
  }

  /// The highest value from one place to another, which need not be messages.
  [[nodiscard]] double peak(double from, double to) const {
    double highest = std::max(at(from), at(to));
    for (auto corner = first_from(from); corner != corners_.end() && corner->message <= to;
         ++corner) {
      highest = std::max(highest, corner->value);
    }
    return highest;
  }

 private:
  struct Corner {
    double message = 0;
    double value = 0;
  };

  void add(Corner corner) { corners_.push_back(corner); }
  [[nodiscard]] std::vector<Corner>::const_iterator first_from(double message) const {
    return std::lower_bound(
        corners_.begin(), corners_.end(), message,
        [](const Corner& corner, double wanted) { return corner.message < wanted; });
  }
  [[nodiscard]] double at(double message) const {
    const auto right = first_from(message);
    if (right == corners_.end()) {
      return corners_.back().value;
    }
    if (right == corners_.begin() || right->message == message) {
      return right->message == message ? right->value : 0;
    }
    const auto left = std::prev(right);
    const double share = (message - left->message) / (right->message - left->message);
    return left->value + share * (right->value - left->value);
  }

  std::vector<Corner> corners_;
};

class Drawing {
 public:
  Drawing(const CurvePicture& picture, const CurveStyle& style)
      : picture_(picture),
        style_(style),
        glyphs_(style.utf8 ? kUtf8 : kAscii),
        width_(std::min(style.columns, kColumnsMax) - kLabelColumns - 1) {}

  std::string run() {
    measure();
    for (std::size_t row = kRows; row-- > 0;) {
      draw_row(row);
    }
    draw_axis();
    draw_marks(picture_.checkpoints, {glyphs_.checkpoint, Paint::mark});
    draw_marks(picture_.interventions, {glyphs_.intervention, Paint::bad});
    draw_numbers();
    draw_legend();
    return std::move(out_);
  }

 private:
  struct Cell {
    std::string_view glyph = " ";
    Paint paint = Paint::none;
  };
  using Cells = std::vector<Cell>;

  [[nodiscard]] double messages_per_column() const {
    return static_cast<double>(picture_.messages - 1) / static_cast<double>(width_ - 1);
  }
  [[nodiscard]] std::size_t column_of(std::uint64_t message) const {
    const std::uint64_t inside = std::clamp<std::uint64_t>(message, 1, picture_.messages);
    return picture_.messages == 1 ? 0
                                  : static_cast<std::size_t>(std::lround(
                                        static_cast<double>(inside - 1) / messages_per_column()));
  }
  [[nodiscard]] std::size_t threshold_row() const {
    return static_cast<std::size_t>(picture_.threshold * kRows + 1e-9);
  }

  void measure() {
    const Line line(picture_);
    const double half = messages_per_column() / 2;
    const std::size_t used = picture_.messages == 1 ? 1 : width_;
    const auto last = static_cast<double>(picture_.messages);
    for (std::size_t column = 0; column < used; ++column) {
      const double middle = 1 + static_cast<double>(column) * messages_per_column();
      const double value = line.peak(std::max(1.0, middle - half), std::min(last, middle + half));
      values_.push_back(std::clamp(value, 0.0, 1.0));
    }
  }

  /// In steps; one more than is full, so that reaching a row is seen in it.
  [[nodiscard]] static std::size_t height_of(double value) {
    return value < kVisible ? 0
                            : std::min(kRows * kSteps,
                                       static_cast<std::size_t>(value * kRows * kSteps + 1e-9) + 1);
  }

  void draw_row(std::size_t row) {
    const bool marked = row == threshold_row();
    Cells cells(width_, marked ? Cell{glyphs_.threshold, Paint::dim} : Cell{});
    for (std::size_t column = 0; column < values_.size(); ++column) {
      const std::size_t height = height_of(values_[column]);
      if (height > row * kSteps) {
        const bool bad = values_[column] >= picture_.threshold;
        cells[column] = {glyphs_.bars.at(std::min(kSteps, height - row * kSteps)),
                         bad ? Paint::bad : Paint::calm};
      }
    }
    const bool top = row + 1 == kRows;
    const std::string label =
        marked ? "0." + std::to_string(threshold_row()) : std::string(top ? "1.0" : "   ");
    add_line(label, top || marked ? glyphs_.side_tick : glyphs_.side, cells);
  }

  void draw_axis() {
    Cells cells(width_, {glyphs_.bottom});
    for (const std::uint64_t message : ticks()) {
      cells[column_of(message)].glyph = glyphs_.bottom_tick;
    }
    add_line("0.0", glyphs_.corner, cells);
  }

  void draw_marks(const std::vector<std::uint64_t>& messages, Cell mark) {
    Cells cells(width_);
    for (const std::uint64_t message : messages) {
      cells[column_of(message)] = mark;
    }
    if (!messages.empty()) {
      add_line("   ", " ", cells);
    }
  }

  /// The first and the last message, and round ones between them where there is room.
  [[nodiscard]] std::vector<std::uint64_t> ticks() const {
    std::vector<std::uint64_t> found = {1};
    const std::uint64_t last = picture_.messages;
    const std::uint64_t wanted = std::max<std::uint64_t>(1, width_ / kColumnsPerTick);
    std::uint64_t step = 1;
    for (unsigned i = 0; last / step > wanted; ++i) {
      step = i % 3 == 1 ? step / 2 * 5 : step * 2;  // 1, 2, 5, 10, 20, …
    }
    const std::size_t end = width_ - std::to_string(last).size();
    for (std::uint64_t message = step; message < last; message += step) {
      const std::size_t column = column_of(message);
      if (column > 1 && column + std::to_string(message).size() < end) {
        found.push_back(message);
      }
    }
    if (last > 1) {
      found.push_back(last);
    }
    return found;
  }

  void draw_numbers() {
    std::string line(width_, ' ');
    for (const std::uint64_t message : ticks()) {
      const std::string number = std::to_string(message);
      const std::size_t at = std::min(column_of(message), width_ - number.size());
      line.replace(at, number.size(), number);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out_ += std::string(kLabelColumns, ' ') + line + '\n';
  }

  void draw_legend() {
    constexpr std::string_view kTitle = "frustration by message";
    std::string marks;
    std::size_t columns = 0;
    const auto add = [&](std::string_view glyph, std::string_view name) {
      marks += "  " + std::string(glyph) + ' ' + std::string(name);
      columns += 4 + name.size();
    };
    if (!picture_.checkpoints.empty()) {
      add(glyphs_.checkpoint, "checkpoint");
    }
    if (!picture_.interventions.empty()) {
      add(glyphs_.intervention, "intervention");
    }
    const std::string indent(kLabelColumns, ' ');
    const bool one_line = kTitle.size() + columns <= width_;
    out_ += indent + std::string(kTitle) + (one_line ? marks : "") + '\n';
    if (!one_line && columns <= width_ + 2) {
      out_ += indent + marks.substr(2) + '\n';
    }
  }

  void add_line(std::string_view label, std::string_view side, const Cells& cells) {
    std::string line;
    const bool blank = label.find_first_not_of(' ') == std::string_view::npos;
    paint(line, {label, blank ? Paint::none : Paint::dim});
    line += ' ';
    paint(line, {side, side == " " ? Paint::none : Paint::dim});
    auto end = cells.end();
    while (end != cells.begin() && std::prev(end)->glyph == " ") {
      --end;
    }
    for (auto cell = cells.begin(); cell != end;) {
      std::string run;
      const Paint paint_of_run = cell->paint;
      for (; cell != end && cell->paint == paint_of_run; ++cell) {
        run += cell->glyph;
      }
      paint(line, {run, paint_of_run});
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out_ += line + '\n';
  }

  void paint(std::string& line, Cell what) const {
    const std::string_view code = style_.color ? code_of(what.paint) : std::string_view();
    line += code;
    line += what.glyph;
    line += code.empty() ? "" : "\x1b[0m";
  }

  const CurvePicture& picture_;
  const CurveStyle& style_;
  const Glyphs& glyphs_;
  const std::size_t width_;
  std::vector<double> values_;  // one a column
  std::string out_;
};

}  // namespace

std::string draw_curve(const CurvePicture& picture, const CurveStyle& style) {
  if (picture.messages == 0 || style.columns < kColumnsMin) {
    return {};
  }
  return Drawing(picture, style).run();
}

}  // namespace vibes::cli
