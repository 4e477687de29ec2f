// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vibes::consumers::assessment {

/// Patterns of the configuration, added to the built-in ones. A pattern is words with spaces
/// between them; a word ending in `…` or `*` stands for all that begin so.
struct ExtraPatterns {
  std::vector<std::string> negative;
  std::vector<std::string> positive;
};

/// What patterns found in a text: each pattern once, in the order it was first met. The views live
/// as long as the Patterns.
struct Findings {
  std::vector<std::string_view> negative;
  std::vector<std::string_view> positive;
  enum class Correction : std::uint8_t { none, found };
  Correction correction = Correction::none;
};

/// Whole words, whatever their case and whichever apostrophe, in one pass over a text without
/// regular expressions. A positive pattern with a negation among the three words before it does not
/// count. Never changes once made: thread-safe.
class Patterns {
 public:
  /// The built-in patterns alone.
  Patterns();
  /// Errors: Errc::bad_pattern, with which pattern and which byte of it; too_many_patterns.
  static Result<Patterns> make(const ExtraPatterns& extra);

  /// Replaces what `findings` held.
  void scan(std::string_view text, Findings& findings) const;

 private:
  enum class Mood : std::uint8_t { negative, positive, correction };
  enum class Match : std::uint8_t { whole, prefix };
  struct Term {
    std::string text;  // lower case, with '
    Match match = Match::whole;
  };
  struct Pattern {
    std::string name;  // as it was written
    Mood mood = Mood::negative;
    std::vector<Term> terms;
  };
  class Scan;

  static Result<Pattern> parse(std::string_view text, Mood mood);
  Result<void> add_all(const std::vector<std::string>& texts, Mood mood, std::string_view what);
  void add(Pattern pattern);

  std::vector<Pattern> patterns_;
  /// The patterns whose last word begins with this byte.
  std::array<std::vector<std::uint16_t>, 256> by_last_word_;
};

}  // namespace vibes::consumers::assessment
