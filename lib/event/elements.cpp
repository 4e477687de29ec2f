// SPDX-License-Identifier: MIT
#include "event/elements.hpp"

#include <array>

#include "event/ascii.hpp"

namespace vibes::event {
namespace {

/// Where the string ends whose content begins at `from`; text.size(): nowhere. Most bytes of most
/// texts lie in strings, so they are searched and not walked.
std::size_t closing_quote(std::string_view text, std::size_t from) {
  for (std::size_t at = from;; ++at) {
    at = text.find('"', at);
    if (at == std::string_view::npos) {
      return text.size();
    }
    std::size_t content_end = at;
    while (content_end > from && text[content_end - 1] == '\\') {
      --content_end;
    }
    if ((at - content_end) % 2 == 0) {
      return at;
    }
  }
}

/// The value of a member, if this is its key.
std::optional<std::string_view> value_of(std::string_view member, std::string_view key) {
  if (member.size() < key.size() + 2 || member[0] != '"' || member[key.size() + 1] != '"' ||
      member.substr(1, key.size()) != key) {
    return std::nullopt;
  }
  const std::string_view rest = trim(member.substr(key.size() + 2));
  const std::string_view value = rest.starts_with(':') ? trim(rest.substr(1)) : std::string_view();
  return value.empty() ? std::nullopt : std::optional(value);
}

}  // namespace

Elements::Elements(std::string_view text)
    : text_(text), close_(text.starts_with('[') ? ']' : '}') {}

std::size_t Elements::part_end() const {
  std::size_t depth = 0;
  for (std::size_t i = at_; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') {
      i = closing_quote(text_, i + 1);
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
  std::array<RawMember, 1> wanted{{{key, std::nullopt}}};
  find_raw_members(object, wanted);
  return wanted[0].value;
}

void find_raw_members(std::string_view object, std::span<RawMember> wanted) {
  Elements members(trim(object));
  std::size_t missing = wanted.size();
  while (missing > 0) {
    const auto member = members.next();
    if (!member) {
      return;
    }
    for (RawMember& one : wanted) {
      if (!one.value && (one.value = value_of(*member, one.key))) {
        --missing;
        break;
      }
    }
  }
}

}  // namespace vibes::event
