// SPDX-License-Identifier: MIT
#include "event/json_verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/errc.hpp"

namespace vibes::event {
namespace {

using nlohmann::json;

/// Feeds the parser and remembers how far it has read, which its callbacks do not say.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return !(a == b); }

 private:
  const char* at_;
  std::size_t* count_;
};

std::string place(std::string_view text, std::size_t byte) {
  byte = std::min(byte, text.size());
  const std::string_view before = text.substr(0, byte);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("byte {} (line {}, column {})", byte + 1, line, byte - line_start + 1);
}

/// Keeps the rules the grammar does not know and stops at the first that is broken.
class Judge {
 public:
  Judge(std::string_view text, const std::size_t* read) : text_(text), read_(read) {}

  std::optional<Error> verdict;

  bool null() { return scalar(); }
  bool boolean(bool /*value*/) { return scalar(); }
  bool number_integer(json::number_integer_t /*value*/) { return scalar(); }
  bool number_unsigned(json::number_unsigned_t /*value*/) { return scalar(); }
  bool number_float(json::number_float_t /*value*/, const json::string_t& /*text*/) {
    return scalar();
  }
  bool string(json::string_t& /*value*/) { return scalar(); }
  bool binary(json::binary_t& /*value*/) { return scalar(); }
  bool start_object(std::size_t /*elements*/) {
    keys_.push_back(0);
    return go_deeper();
  }
  bool end_object() {
    keys_.pop_back();
    return true;
  }
  bool start_array(std::size_t /*elements*/) {
    if (keys_.empty()) {
      return refuse(Errc::not_an_object, "found an array");
    }
    keys_.push_back(0);
    return go_deeper();
  }
  bool end_array() { return end_object(); }

  bool key(json::string_t& name) {
    if (++keys_.back() > limits::kEventKeysMax) {
      return refuse(Errc::not_json,
                    fmt::format("an object has at most {} keys", limits::kEventKeysMax));
    }
    if (keys_.size() == 1 && !top_level_.insert(name).second) {
      return refuse(Errc::duplicate_key, fmt::format("key {}", json(name).dump()));
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*last*/, const json::exception& why) {
    std::string_view what = why.what();
    if (what.find("ill-formed UTF-8") != std::string_view::npos) {
      return refuse_at(Errc::bad_utf8, position == 0 ? 0 : position - 1, "inside a string");
    }
    constexpr int kNumberOverflow = 406;
    if (why.id == kNumberOverflow) {
      what = "a number that no double can hold, which most readers of JSON refuse";
    }
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while …; last
    // read: '…'", the latter as long as the sender likes.
    const std::size_t colon = what.find(": ");
    what.remove_prefix(colon == std::string_view::npos ? 0 : colon + 2);
    what = what.substr(0, what.find("; last read"));
    return refuse_at(Errc::not_json, position == 0 ? 0 : position - 1, what);
  }

 private:
  bool scalar() {
    return keys_.empty() ? refuse(Errc::not_an_object, "found a single value") : true;
  }
  bool go_deeper() {
    return keys_.size() <= limits::kEventDepthMax ||
           refuse(Errc::too_deep,
                  fmt::format("at most {} levels are taken", limits::kEventDepthMax));
  }
  bool refuse(Errc code, std::string_view what) {
    return refuse_at(code, *read_ == 0 ? 0 : *read_ - 1, what);
  }
  bool refuse_at(Errc code, std::size_t byte, std::string_view what) {
    verdict = Error{code, fmt::format("{}: {}", place(text_, byte), what)};
    return false;
  }

  std::string_view text_;
  const std::size_t* read_;
  std::vector<std::size_t> keys_;  // per open object or array
  std::unordered_set<std::string> top_level_;
};

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

Result<void> judge_json(std::string_view text) {
  // Two things the parser would let pass: it skips a byte order mark and takes a NUL for the end.
  if (text.starts_with(kByteOrderMark)) {
    return fail(Errc::not_json, "byte 1: starts with a byte order mark; send UTF-8 without one");
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(Errc::not_json, place(text, nul) + ": a NUL byte");
  }
  std::size_t read = 0;
  Judge judge(text, &read);
  const bool accepted = json::sax_parse(CountingIterator(text.data(), &read),
                                        CountingIterator(text.data() + text.size(), &read), &judge);
  if (accepted) {
    return {};
  }
  VIBES_ASSERT(judge.verdict);
  return fail(*std::move(judge.verdict));
}

}  // namespace vibes::event
