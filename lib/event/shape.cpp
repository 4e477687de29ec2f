// SPDX-License-Identifier: MIT
#include "event/shape.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "event/errc.hpp"

namespace vibes::event {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

/// Where in the event we are, spelled out only if something is wrong.
struct Path {
  std::string_view type;
  std::string_view inner;  // the inner event's type
};

Unexpected refuse(const Path& path, std::string_view field, std::string_view what) {
  const std::string_view separator = path.inner.empty() ? "" : "/";
  return fail(Errc::bad_field,
              fmt::format("{}{}{}: \"{}\" {}", path.type, separator, path.inner, field, what));
}

std::string listed(std::span<const std::string_view> names) {
  return fmt::format("must be one of {}", fmt::join(names, ", "));
}

Result<void> check_string(const FieldRule& rule, element value, const Path& path) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    return refuse(path, rule.name, "must be a string");
  }
  if (!rule.one_of.empty() && std::ranges::find(rule.one_of, text) == rule.one_of.end()) {
    return refuse(path, rule.name, listed(rule.one_of));
  }
  return {};
}

Result<void> check_fields(object fields, std::span<const FieldRule> rules, const Path& path,
                          UnknownTypes unknown);

Result<void> check_inner(const FieldRule& rule, element value, const Path& path,
                         UnknownTypes unknown) {
  object inner;
  if (value.get(inner) != simdjson::SUCCESS) {
    return refuse(path, rule.name, "must be an object");
  }
  std::string_view type;
  if (inner.at_key("type").get(type) != simdjson::SUCCESS || type.empty()) {
    return refuse(path, "event.type", "must be a string");
  }
  const bool claude = rule.kind == Kind::claude_event;
  const Shape* shape = claude ? find_claude_shape(type) : find_hook_shape(type);
  if (shape == nullptr) {
    // The list of hooks is never closed; that of the agent's own events is where only known types
    // are asked for.
    return claude && unknown == UnknownTypes::refuse
               ? fail(Errc::unknown_type, fmt::format("{}/{}", path.type, type))
               : Result<void>{};
  }
  return check_fields(inner, shape->fields, Path{path.type, shape->type}, unknown);
}

Result<void> check_field(const FieldRule& rule, element value, const Path& path,
                         UnknownTypes unknown) {
  switch (rule.kind) {
    case Kind::any:
      return {};
    case Kind::string:
      return check_string(rule, value, path);
    case Kind::boolean:
      return value.is_bool() ? Result<void>{} : refuse(path, rule.name, "must be true or false");
    case Kind::count:
      return value.is_uint64() ? Result<void>{}
                               : refuse(path, rule.name, "must be a whole number from 0 on");
    case Kind::object: {
      object usage;
      if (value.get(usage) != simdjson::SUCCESS) {
        return refuse(path, rule.name, "must be an object");
      }
      return check_fields(usage, usage_fields(), path, unknown);
    }
    case Kind::claude_event:
    case Kind::hook_event:
      return check_inner(rule, value, path, unknown);
  }
  return {};
}

Result<void> check_fields(object fields, std::span<const FieldRule> rules, const Path& path,
                          UnknownTypes unknown) {
  for (const FieldRule& rule : rules) {
    element value;
    if (fields.at_key(rule.name).get(value) != simdjson::SUCCESS) {
      if (rule.presence == FieldRule::Presence::required) {
        return refuse(path, rule.name, "is missing");
      }
      continue;
    }
    if (rule.presence == FieldRule::Presence::nullable && value.is_null()) {
      continue;
    }
    VIBES_TRY(check_field(rule, value, path, unknown));
  }
  return {};
}

}  // namespace

Result<void> check_shape(object event, const Shape& shape, UnknownTypes unknown) {
  return check_fields(event, shape.fields, Path{shape.type, {}}, unknown);
}

}  // namespace vibes::event
