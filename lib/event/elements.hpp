// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace vibes::event {

/// Cuts the text of a JSON array or object at its outermost commas, so that each part keeps its
/// bytes. It judges no part: whoever takes them checks each, and then the whole is checked too.
class Elements {
 public:
  /// `text` starts with its bracket and has no white space around it.
  explicit Elements(std::string_view text);

  /// The next part with the white space around it cut off; nothing at the end, or where the
  /// brackets fail.
  std::optional<std::string_view> next();
  /// How many parts next() has returned.
  [[nodiscard]] std::size_t count() const { return count_; }
  /// After the last part: why the text is no array or object as a whole.
  [[nodiscard]] std::optional<std::string_view> problem() const { return problem_; }

 private:
  enum class State { first, more, done };

  std::size_t part_end() const;
  std::optional<std::string_view> stop(std::optional<std::string_view> problem);

  std::string_view text_;
  char close_;
  std::size_t at_ = 1;
  std::size_t count_ = 0;
  State state_ = State::first;
  std::optional<std::string_view> problem_;
};

/// The bytes of a member's value; nothing if it is not there under exactly this spelling (an
/// escaped key is not found). Of a text that has not been checked, what is found is only where the
/// value would be.
std::optional<std::string_view> raw_member(std::string_view object, std::string_view key);

struct RawMember {
  std::string_view key;
  std::optional<std::string_view> value;  // filled in where it is found
};
/// The same for several members, walking over the text once.
void find_raw_members(std::string_view object, std::span<RawMember> wanted);

}  // namespace vibes::event
