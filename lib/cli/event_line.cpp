// SPDX-License-Identifier: MIT
#include "cli/event_line.hpp"

#include <algorithm>

#include "cli/local_time.hpp"
#include "cli/term.hpp"

namespace vibes::cli {
namespace {

constexpr std::size_t kSessionColumns = 8;
constexpr std::size_t kLabelColumns = 21;  // session_state_changed
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";

std::string_view color_of(event::Category category) {
  switch (category) {
    case event::Category::claude:
      return "\x1b[36m";
    case event::Category::session:
      return "\x1b[32m";
    case event::Category::hook:
      return "\x1b[33m";
    case event::Category::assessment:
      return "\x1b[35m";
    case event::Category::custom:
      return "\x1b[34m";
  }
  return {};
}

/// Cuts or fills to exactly `columns`.
void fit_field(std::string& text, std::size_t columns) {
  fit_columns(text, columns);
  text.append(columns - std::min(columns, display_columns(text)), ' ');
}

std::string shown(std::string_view text, const LineStyle& style) {
  return style.escape ? escaped(text) : std::string(text);
}

void append_colored(std::string& out, std::string_view color, std::string_view text,
                    const LineStyle& style) {
  if (style.color && !text.empty()) {
    out += color;
    out += text;
    out += kReset;
  } else {
    out += text;
  }
}

/// Sessions are told apart by their first characters, as commits are.
std::string session_field(std::string_view session, const LineStyle& style) {
  std::string field = session.empty() ? "-" : shown(session, style);
  const bool ascii = std::all_of(field.begin(), field.end(), [](char c) { return c >= 0; });
  if (ascii) {
    field.resize(std::min(field.size(), kSessionColumns));  // no ellipsis: a prefix can be typed
  }
  fit_field(field, kSessionColumns);
  return field;
}

}  // namespace

void append_event_line(std::string& out, const event::EventView& event, const LineStyle& style) {
  const Summary summary = summarise(event);
  const std::string time = local_time_short(event.time);
  std::string label = shown(summary.label, style);
  fit_field(label, kLabelColumns);
  std::string text = shown(summary.text, style);
  if (style.columns) {
    const std::size_t taken = time.size() + kSessionColumns + kLabelColumns + 6;
    fit_columns(text, *style.columns > taken ? *style.columns - taken : 0);
  }
  append_colored(out, kDim, time, style);
  out += "  ";
  append_colored(out, kDim, session_field(event.session, style), style);
  out += "  ";
  append_colored(out, summary.is_failure ? kRed : color_of(event::category_of(event.type)), label,
                 style);
  out += "  ";
  append_colored(out, summary.is_failure ? kRed : std::string_view(), text, style);
  while (!style.color && out.back() == ' ') {
    out.pop_back();
  }
  out += '\n';
}

}  // namespace vibes::cli
