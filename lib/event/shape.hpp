// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "base/result.hpp"
#include "event/check.hpp"
#include "event/errc.hpp"
#include "event/known_types.hpp"

namespace vibes::event {

/// Checks the fields of one known type. `Json`: how the document is looked at, as take_out() says.
template <class Json>
class ShapeCheck {
 public:
  using Element = typename Json::Element;

  explicit ShapeCheck(UnknownTypes unknown) : unknown_(unknown) {}

  Result<void> check(typename Json::Root event, const Shape& shape) const {
    return check_fields(event, shape.fields, Path{shape.type, {}});
  }

 private:
  /// Where in the event we are, spelled out only if something is wrong.
  struct Path {
    std::string_view type;
    std::string_view inner;  // the inner event's type
  };

  static Unexpected refuse(const Path& path, std::string_view field, std::string_view what) {
    const std::string_view separator = path.inner.empty() ? "" : "/";
    return fail(Errc::bad_field,
                fmt::format("{}{}{}: \"{}\" {}", path.type, separator, path.inner, field, what));
  }

  Result<void> check_string(const FieldRule& rule, Element value, const Path& path) const {
    const auto text = Json::text(value);
    if (!text) {
      return refuse(path, rule.name, "must be a string");
    }
    if (!rule.one_of.empty() && std::ranges::find(rule.one_of, *text) == rule.one_of.end()) {
      return refuse(path, rule.name,
                    fmt::format("must be one of {}", fmt::join(rule.one_of, ", ")));
    }
    return {};
  }

  Result<void> check_inner(const FieldRule& rule, Element value, const Path& path) const {
    const auto inner = Json::object(value);
    if (!inner) {
      return refuse(path, rule.name, "must be an object");
    }
    const auto member = Json::member(*inner, "type");
    const auto type = member ? Json::text(*member) : decltype(Json::text(*member))();
    if (!type || type->empty()) {
      return refuse(path, "event.type", "must be a string");
    }
    const bool claude = rule.kind == Kind::claude_event;
    const Shape* shape = claude ? find_claude_shape(*type) : find_hook_shape(*type);
    if (shape == nullptr) {
      // The list of hooks is never closed; that of the agent's own events is where only known types
      // are asked for.
      return claude && unknown_ == UnknownTypes::refuse
                 ? fail(Errc::unknown_type, fmt::format("{}/{}", path.type, *type))
                 : Result<void>{};
    }
    return check_fields(*inner, shape->fields, Path{path.type, shape->type});
  }

  Result<void> check_field(const FieldRule& rule, Element value, const Path& path) const {
    switch (rule.kind) {
      case Kind::any:
        return {};
      case Kind::string:
        return check_string(rule, value, path);
      case Kind::boolean:
        return Json::is_bool(value) ? Result<void>{}
                                    : refuse(path, rule.name, "must be true or false");
      case Kind::count:
        return Json::is_count(value) ? Result<void>{}
                                     : refuse(path, rule.name, "must be a whole number from 0 on");
      case Kind::object: {
        const auto usage = Json::object(value);
        return usage ? check_fields(*usage, usage_fields(), path)
                     : refuse(path, rule.name, "must be an object");
      }
      case Kind::claude_event:
      case Kind::hook_event:
        return check_inner(rule, value, path);
    }
    return {};
  }

  /// Of the outermost object or one within it.
  template <class Fields>
  Result<void> check_fields(Fields fields, std::span<const FieldRule> rules,
                            const Path& path) const {
    for (const FieldRule& rule : rules) {
      const auto value = Json::member(fields, rule.name);
      if (!value) {
        if (rule.presence == FieldRule::Presence::required) {
          return refuse(path, rule.name, "is missing");
        }
        continue;
      }
      if (rule.presence == FieldRule::Presence::nullable && Json::is_null(*value)) {
        continue;
      }
      VIBES_TRY(check_field(rule, *value, path));
    }
    return {};
  }

  UnknownTypes unknown_;
};

/// Checks the fields of a known type, inner events included. Errors: bad_field, unknown_type; the
/// context names the field by its path.
template <class Json>
Result<void> check_shape(typename Json::Root event, const Shape& shape, UnknownTypes unknown) {
  return ShapeCheck<Json>(unknown).check(event, shape);
}

}  // namespace vibes::event
