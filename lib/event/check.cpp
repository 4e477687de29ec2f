// SPDX-License-Identifier: MIT
#include "event/check.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include <simdjson.h>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/check_object.hpp"
#include "event/dom_json.hpp"
#include "event/errc.hpp"
#include "event/json_verdict.hpp"
#include "event/padded_parser.hpp"
#include "event/take_out.hpp"

namespace vibes::event {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// Kept per thread: making a parser costs more than a check.
struct Scratch {
  explicit Scratch(std::size_t depth_max) : parser(depth_max) {}

  /// Gives back what a rare large text needed.
  void shrink() {
    constexpr std::size_t kMembersKept = 1'024;
    parser.shrink();
    if (members.capacity() > kMembersKept) {
      members = {};
    }
  }

  PaddedParser parser;
  std::vector<DomJson::Member> members;  // of the outermost object
};

// simdjson counts an empty object or array as no level. With one level less than we allow whatever
// it takes is allowed, and the few events between the two limits go the slow way.
constexpr std::size_t kFastDepth = limits::kEventDepthMax;
constexpr std::size_t kAnyDepth = limits::kEventDepthMax + 2;

Scratch& scratch_of_thread() {
  thread_local Scratch scratch(kFastDepth);
  return scratch;
}

/// Both are what a document of so many bytes could not exceed anyway, for any that is shorter.
constexpr std::size_t kBytesPerKey = 5;  // "":0,

bool has_object_with_too_many_keys(element value) {
  object fields;
  if (value.get(fields) == simdjson::SUCCESS) {
    std::size_t count = 0;
    return std::ranges::any_of(fields, [&count](const auto& field) {
      return ++count > limits::kEventKeysMax || has_object_with_too_many_keys(field.value);
    });
  }
  array elements;
  return value.get(elements) == simdjson::SUCCESS &&
         std::ranges::any_of(elements, has_object_with_too_many_keys);
}

bool has_duplicate(std::span<const DomJson::Member> members) {
  constexpr std::size_t kFew = 24;
  if (members.size() <= kFew) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (members[i].key == members[j].key) {
          return true;
        }
      }
    }
    return false;
  }
  std::vector<std::string_view> keys(members.size());
  std::ranges::transform(members, keys.begin(), &DomJson::Member::key);
  std::ranges::sort(keys);
  return std::ranges::adjacent_find(keys) != keys.end();
}

void list_members(object root, std::vector<DomJson::Member>& members) {
  members.clear();
  for (const auto field : root) {
    members.push_back({field.key, field.value});
  }
}

/// The fast way: true if `text` is JSON we take; then its members are listed.
bool parse_fast(Scratch& scratch, std::string_view text) {
  element value;
  object root;
  if (!scratch.parser.parse(text, value) || value.get(root) != simdjson::SUCCESS) {
    return false;
  }
  list_members(root, scratch.members);
  return !has_duplicate(scratch.members) && (text.size() < kBytesPerKey * limits::kEventKeysMax ||
                                             !has_object_with_too_many_keys(value));
}

/// A copy in which whole numbers too long for 64 bits are cut, which changes neither grammar nor
/// kind: simdjson takes none of them, but their spelling is the sender's and we store it.
std::string with_short_integers(std::string_view text) {
  constexpr std::size_t kDigitsKept = 18;
  constexpr std::string_view kDigits = "0123456789";
  std::string copy(text);
  bool in_string = false;
  for (std::size_t i = 0; i < copy.size(); ++i) {
    if (copy[i] == '"') {
      in_string = !in_string;
    } else if (in_string && copy[i] == '\\') {
      ++i;
    } else if (!in_string && kDigits.find(copy[i]) != std::string_view::npos) {
      const std::size_t end = std::min(copy.find_first_not_of(kDigits, i), copy.size());
      const std::size_t token_end = std::min(copy.find_first_of(",]} \t\r\n", i), copy.size());
      if (end == token_end && end - i > kDigitsKept) {
        std::fill(copy.begin() + static_cast<std::ptrdiff_t>(i + kDigitsKept),
                  copy.begin() + static_cast<std::ptrdiff_t>(end), ' ');
      }
      i = token_end - 1;
    }
  }
  return copy;
}

/// Says why the fast way refused, or finds that it was too strict and parses once more.
Result<void> parse_slow(Scratch& scratch, std::string_view text) {
  VIBES_TRY(judge_json(text));
  element value;
  object root;
  if (!scratch.parser.parse(with_short_integers(text), value) ||
      value.get(root) != simdjson::SUCCESS) {
    return fail(Errc::not_json, "the parsers disagree about this text");
  }
  list_members(root, scratch.members);
  return {};
}

/// Checks one event. `keep` is given it, once, if it passes, as a view of memory that is used again
/// for the next one.
template <class Keep>
Result<void> check_and_keep(std::string_view json, const TakeOut& what, Keep keep) {
  const std::string_view text = trim(json);
  VIBES_TRY(check_size(text));
  const auto take = [&](const Scratch& parsed) -> Result<void> {
    VIBES_TRY_ASSIGN(taken, take_out<DomJson>(parsed.members, what));
    keep(taken.beside(text));
    return {};
  };
  Scratch& scratch = scratch_of_thread();
  const bool is_fast = parse_fast(scratch, text);
  auto checked = is_fast ? take(scratch) : Result<void>();
  scratch.shrink();
  if (is_fast) {
    return checked;
  }
  Scratch deep(kAnyDepth);
  VIBES_TRY(parse_slow(deep, text));
  return take(deep);
}

}  // namespace

Result<NewEvent> check(std::string_view json, const CheckOptions& options) {
  return check_object(json, options, limits::kTypeBytesMax);
}

Result<NewEvent> check_object(std::string_view json, const CheckOptions& options,
                              std::size_t type_bytes_max) {
  Result<NewEvent> event{NewEvent{}};
  VIBES_TRY(check_and_keep(json, {options, type_bytes_max},
                           [&](const NewEventView& checked) { *event = copy_of(checked); }));
  return event;
}

Result<void> check_into(PackedEvents& events, std::string_view json, const CheckOptions& options) {
  return check_and_keep(json, {options, limits::kTypeBytesMax},
                        [&](const NewEventView& checked) { events.add(checked); });
}

}  // namespace vibes::event
