// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "event/ascii.hpp"

namespace vibes::consumers::assessment {

/// The most of a word that is kept; a longer one equals no pattern.
inline constexpr std::size_t kWordBytesMax = 40;

/// A word in lower case, with ' for both apostrophes.
struct Word {
  std::array<char, kWordBytesMax> bytes;
  std::uint8_t size = 0;
  std::uint32_t length = 0;  // of the whole word
  char after = '\0';         // the byte that ends it; 0 at the end of the text

  [[nodiscard]] std::string_view text() const { return {bytes.data(), size}; }
  [[nodiscard]] bool is_whole() const { return length == size; }
};

/// The class of a byte: a letter, or how many bytes the gap takes that begins with it.
inline constexpr std::uint8_t kWordLetter = 0;
constexpr std::array<std::uint8_t, 256> make_word_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
    classes[c] = letter ? kWordLetter : std::uint8_t{1};
  }
  classes[0xc2] = 2;  // U+0080 to U+00BF: signs such as § and »
  classes[0xe2] = 3;  // U+2000 to U+2FFF: dashes, quotes, arrows
  classes[0xf0] = 4;  // emoji
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kWordClasses = make_word_classes();

/// Cuts a text into words: runs of letters, digits, `_` and bytes of other scripts, with
/// apostrophes inside. Any bytes are taken, also those that are no UTF-8.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  /// Whether a text begins with a word and with nothing before it.
  static bool begins_word(std::string_view text) {
    return !text.empty() && kWordClasses[static_cast<unsigned char>(text[0])] == kWordLetter;
  }

  /// False at the end of the text.
  bool next(Word& word) {
    word.size = 0;
    word.length = 0;
    while (at_ < text_.size() && !is_letter(at_)) {
      at_ += skipped();
    }
    while (at_ < text_.size() && is_letter(at_)) {
      put(word, event::ascii_lower(text_[at_++]));
      const std::size_t apostrophe = apostrophe_here();
      if (apostrophe > 0 && at_ + apostrophe < text_.size() && is_letter(at_ + apostrophe)) {
        put(word, '\'');
        at_ += apostrophe;
      }
    }
    word.after = at_ < text_.size() ? text_[at_] : '\0';
    return word.length > 0;
  }

 private:
  [[nodiscard]] std::uint8_t class_at(std::size_t at) const {
    return kWordClasses[static_cast<unsigned char>(text_[at])];
  }
  [[nodiscard]] bool is_letter(std::size_t at) const { return class_at(at) == kWordLetter; }
  /// How many bytes of an apostrophe stand here, in either of its forms.
  [[nodiscard]] std::size_t apostrophe_here() const {
    if (at_ >= text_.size()) {
      return 0;
    }
    if (text_[at_] == '\'') {
      return 1;
    }
    return text_.substr(at_, 3) == "\xe2\x80\x99" ? 3 : 0;
  }
  [[nodiscard]] std::size_t skipped() const {
    return std::min<std::size_t>(std::max<std::size_t>(class_at(at_), 1), text_.size() - at_);
  }

  static void put(Word& word, char c) {
    if (word.size < kWordBytesMax) {
      word.bytes[word.size++] = c;
    }
    ++word.length;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace vibes::consumers::assessment
