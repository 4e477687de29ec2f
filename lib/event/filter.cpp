// SPDX-License-Identifier: MIT
#include "event/filter.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/errc.hpp"
#include "event/session_slot.hpp"

namespace vibes::event {
namespace {

unsigned bit_of(Category category) { return 1U << static_cast<unsigned>(category); }

}  // namespace

Result<Filter> Filter::make(const std::vector<std::string>& types,
                            std::optional<std::string> session) {
  Filter filter;
  for (const std::string& given : types) {
    const std::string_view name = trim(given);
    if (name.size() > limits::kTypeBytesMax) {
      return fail(Errc::bad_filter,
                  fmt::format("a type has at most {} bytes", limits::kTypeBytesMax));
    }
    if (const auto category = parse_category(name)) {
      filter.categories_ |= bit_of(*category);
    } else if (!name.empty()) {
      filter.types_.push_back(to_lower(name));
    }
  }
  std::ranges::sort(filter.types_);
  filter.types_.erase(std::unique(filter.types_.begin(), filter.types_.end()), filter.types_.end());
  if (filter.types_.size() > limits::kFilterTypesMax) {
    return fail(Errc::bad_filter,
                fmt::format("a filter names at most {} types", limits::kFilterTypesMax));
  }
  if (session && session->size() > limits::kSessionBytesMax) {
    return fail(Errc::bad_filter,
                fmt::format("a session id has at most {} bytes", limits::kSessionBytesMax));
  }
  if (session && !session->empty()) {
    filter.session_ = std::move(session);
  }
  return filter;
}

Result<Filter> Filter::parse(std::string_view types, std::optional<std::string> session) {
  std::vector<std::string> names;
  while (!types.empty()) {
    const std::size_t comma = std::min(types.find(','), types.size());
    names.emplace_back(types.substr(0, comma));
    types.remove_prefix(std::min(comma + 1, types.size()));
  }
  return make(names, std::move(session));
}

bool Filter::matches(std::string_view type, std::string_view session) const {
  return matches_type(type) && matches_session(session) && matches_slot(session);
}

bool Filter::matches_session(std::string_view session) const {
  return !session_ || *session_ == session || (scope_ && scope_->contains(session));
}

bool Filter::matches_slot(std::string_view session) const {
  return slots_ == ~std::uint64_t{0} || (slots_ >> session_slot(session) & 1U) != 0;
}

bool Filter::matches_type(std::string_view type) const {
  if (categories_ == 0 && types_.empty()) {
    return true;
  }
  if (categories_ != 0 && (categories_ & bit_of(category_of(type))) != 0) {
    return true;
  }
  return std::ranges::any_of(
      types_, [type](const std::string& wanted) { return equal_ignoring_case(wanted, type); });
}

bool Filter::matches_everything() const {
  return categories_ == 0 && types_.empty() && !session_ && slots_ == ~std::uint64_t{0};
}

}  // namespace vibes::event
