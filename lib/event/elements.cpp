// SPDX-License-Identifier: MIT
#include "event/elements.hpp"

#include <string>

#include "event/ascii.hpp"

namespace vibes::event {

Elements::Elements(std::string_view text)
    : text_(text), close_(text.starts_with('[') ? ']' : '}') {}

std::size_t Elements::part_end() const {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = at_; i < text_.size(); ++i) {
    const char c = text_[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == close_)) {
      return i;
    } else if (c == ']' || c == '}') {
      depth -= depth > 0 ? 1 : 0;
    }
  }
  return text_.size();
}

std::optional<std::string_view> Elements::stop(std::optional<std::string_view> problem) {
  state_ = State::done;
  problem_ = problem;
  return std::nullopt;
}

std::optional<std::string_view> Elements::next() {
  if (state_ == State::done) {
    return std::nullopt;
  }
  const std::size_t end = part_end();
  if (end == text_.size()) {
    return stop("the closing bracket is missing");
  }
  const std::string_view part = trim(text_.substr(at_, end - at_));
  const bool last = text_[end] == close_;
  if (last && end + 1 != text_.size()) {
    return stop("something follows the closing bracket");
  }
  if (part.empty()) {
    return stop(last && state_ == State::first
                    ? std::nullopt
                    : std::optional<std::string_view>("nothing between two commas"));
  }
  at_ = end + 1;
  state_ = last ? State::done : State::more;
  ++count_;
  return part;
}

std::optional<std::string_view> raw_member(std::string_view object, std::string_view key) {
  const std::string quoted = '"' + std::string(key) + '"';
  Elements members(trim(object));
  while (const auto member = members.next()) {
    if (!member->starts_with(quoted)) {
      continue;
    }
    const std::string_view rest = trim(member->substr(quoted.size()));
    if (!rest.starts_with(':')) {
      continue;
    }
    if (const std::string_view value = trim(rest.substr(1)); !value.empty()) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace vibes::event
