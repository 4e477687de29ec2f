// SPDX-License-Identifier: MIT
#include "consumers/assessment/patterns.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "consumers/assessment/errc.hpp"
#include "consumers/assessment/words.hpp"
#include "event/ascii.hpp"

namespace vibes::consumers::assessment {
namespace {

constexpr std::size_t kTermsMax = 8;        // words in one pattern
constexpr std::size_t kNegationReach = 3;   // words before a positive
constexpr std::size_t kHistory = 16;        // words looked back at; a power of two
constexpr std::size_t kPrefixBytesMin = 3;  // a shorter one stands for too much
constexpr std::string_view kEllipsis = "…";
static_assert(kTermsMax + kNegationReach <= kHistory);

constexpr std::array<std::string_view, 10> kNegative{"error", "failed", "frustrat…", "confus…",
                                                     "wrong", "broken", "not work",  "doesn't work",
                                                     "can't", "won't"};
constexpr std::array<std::string_view, 8> kPositive{"thank…", "perfect",  "excellent", "great",
                                                    "works",  "success…", "complete…", "done"};
/// What people say when the agent went the wrong way.
constexpr std::array<std::string_view, 11> kCorrection{
    "that's wrong", "that is wrong", "that's not",  "that is not", "not what i",       "i said",
    "i meant",      "i told you",    "i asked you", "you forgot",  "you misunderstood"};

bool is_negation(std::string_view word) {
  return word == "not" || word == "never" || word == "no" || word.ends_with("n't");
}

bool is_opening(std::string_view word) {
  return word == "no" || word == "nope" || word == "stop" || word == "wait";
}

bool equals(const Word& word, std::string_view term) {
  return word.is_whole() && word.text() == term;
}

Unexpected refuse(std::size_t byte, std::string_view why) {
  return fail(Errc::bad_pattern, fmt::format("byte {}: {}", byte + 1, why));
}

}  // namespace

/// One pass over one text.
class Patterns::Scan {
 public:
  Scan(const Patterns& patterns, Findings& findings) : patterns_(patterns), findings_(findings) {}

  void run(std::string_view text) {
    Words words(text);
    while (words.next(history_[count_ % kHistory])) {
      ++count_;
      const Word& last = back(0);
      if (count_ == 1 && opens_correction(last)) {
        findings_.correction = Findings::Correction::found;
      }
      for (const std::uint16_t index :
           patterns_.by_last_word_[static_cast<unsigned char>(last.bytes[0])]) {
        consider(patterns_.patterns_[index]);
      }
    }
  }

 private:
  /// The word `n` words ago.
  [[nodiscard]] const Word& back(std::size_t n) const {
    return history_[(count_ - 1 - n) % kHistory];
  }

  /// "No, …" and "stop!", but not "no new dependencies".
  static bool opens_correction(const Word& word) {
    return (word.after == '\0' ||
            std::string_view(",.;:!-").find(word.after) != std::string_view::npos) &&
           word.is_whole() && is_opening(word.text());
  }

  [[nodiscard]] bool matches(const Pattern& pattern) const {
    const std::size_t terms = pattern.terms.size();
    if (terms > count_) {
      return false;
    }
    for (std::size_t i = 0; i < terms; ++i) {
      const Term& term = pattern.terms[terms - 1 - i];
      const Word& word = back(i);
      if (term.match == Match::prefix ? !word.text().starts_with(term.text)
                                      : !equals(word, term.text)) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool is_negated(std::size_t terms) const {
    const std::size_t before = std::min(count_ - terms, kNegationReach);
    for (std::size_t i = 0; i < before; ++i) {
      const Word& word = back(terms + i);
      if (word.is_whole() && is_negation(word.text())) {
        return true;
      }
    }
    return false;
  }

  void consider(const Pattern& pattern) {
    if (!matches(pattern)) {
      return;
    }
    if (pattern.mood == Mood::correction) {
      findings_.correction = Findings::Correction::found;
    } else if (pattern.mood == Mood::negative) {
      add_once(findings_.negative, pattern.name);
    } else if (!is_negated(pattern.terms.size())) {
      add_once(findings_.positive, pattern.name);
    }
  }

  static void add_once(std::vector<std::string_view>& found, std::string_view name) {
    if (std::ranges::find(found, name) == found.end()) {
      found.push_back(name);
    }
  }

  const Patterns& patterns_;
  Findings& findings_;
  std::array<Word, kHistory> history_;
  std::size_t count_ = 0;
};

Patterns::Patterns() {
  const auto add_built_in = [this](const auto& texts, Mood mood) {
    for (const std::string_view text : texts) {
      auto pattern = parse(text, mood);
      VIBES_ASSERT(pattern.has_value());
      add(*std::move(pattern));
    }
  };
  add_built_in(kNegative, Mood::negative);
  add_built_in(kPositive, Mood::positive);
  add_built_in(kCorrection, Mood::correction);
}

Result<Patterns> Patterns::make(const ExtraPatterns& extra) {
  Patterns patterns;
  VIBES_TRY(patterns.add_all(extra.negative, Mood::negative, "negative"));
  VIBES_TRY(patterns.add_all(extra.positive, Mood::positive, "positive"));
  return patterns;
}

Result<void> Patterns::add_all(const std::vector<std::string>& texts, Mood mood,
                               std::string_view what) {
  if (texts.size() > limits::kAssessmentPatternsMax) {
    return fail(Errc::too_many_patterns, fmt::format("{} {} patterns, at most {}", texts.size(),
                                                     what, limits::kAssessmentPatternsMax));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto pattern = parse(texts[i], mood);
    if (!pattern) {
      Error error = std::move(pattern).error();
      error.context = fmt::format("{} pattern {}, {}", what, i + 1, error.context);
      return fail(std::move(error));
    }
    add(*std::move(pattern));
  }
  return {};
}

Result<Patterns::Pattern> Patterns::parse(std::string_view text, Mood mood) {
  if (text.size() > limits::kAssessmentPatternBytesMax) {
    return refuse(limits::kAssessmentPatternBytesMax, "the pattern is longer than 256 bytes");
  }
  Pattern pattern{.name = std::string(text), .mood = mood, .terms = {}};
  std::size_t at = 0;
  while ((at = text.find_first_not_of(' ', at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    std::string_view written = text.substr(at, end - at);
    Term term;
    for (const std::string_view mark : {kEllipsis, std::string_view("*")}) {
      if (term.match == Match::whole && written.ends_with(mark)) {
        written.remove_suffix(mark.size());
        term.match = Match::prefix;
      }
    }
    Word word;
    Words words(written);
    if (!words.next(word) || !word.is_whole()) {
      return refuse(at, fmt::format("a word of 1 to {} letters is expected", kWordBytesMax));
    }
    if (word.after != '\0' || !Words::begins_word(written)) {
      return refuse(at, "only letters, digits, _ and ' inside a word, and * or … at its end");
    }
    if (term.match == Match::prefix && word.size < kPrefixBytesMin) {
      return refuse(at, "the beginning of a word needs three letters");
    }
    term.text = word.text();
    pattern.terms.push_back(std::move(term));
    if (pattern.terms.size() > kTermsMax) {
      return refuse(at, fmt::format("at most {} words", kTermsMax));
    }
    at = end;
  }
  if (pattern.terms.empty()) {
    return refuse(0, "the pattern is empty");
  }
  return pattern;
}

void Patterns::add(Pattern pattern) {
  const auto first = static_cast<unsigned char>(pattern.terms.back().text.front());
  by_last_word_[first].push_back(static_cast<std::uint16_t>(patterns_.size()));
  patterns_.push_back(std::move(pattern));
}

void Patterns::scan(std::string_view text, Findings& findings) const {
  findings.negative.clear();
  findings.positive.clear();
  findings.correction = Findings::Correction::none;
  Scan(*this, findings).run(text);
}

}  // namespace vibes::consumers::assessment
