// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "event/errc.hpp"
#include "event/known_types.hpp"
#include "event/shape.hpp"

namespace vibes::event {

/// What take_out() is to do, beside what everybody wants.
struct TakeOut {
  const CheckOptions& options;
  std::size_t type_bytes_max;
};

inline Result<void> check_size(std::string_view text) {
  if (text.size() > limits::kEventBytesMax) {
    return fail(Errc::too_large,
                fmt::format("{} bytes, at most {} are taken", text.size(), limits::kEventBytesMax));
  }
  return {};
}

template <class Json>
Result<typename Json::Text> type_of(typename Json::Root event, std::size_t bytes_max) {
  const auto value = Json::member(event, "type");
  if (!value) {
    return fail(Errc::bad_type, "\"type\" is missing");
  }
  auto type = Json::text(*value);
  if (!type) {
    return fail(Errc::bad_type, "\"type\" is not a string");
  }
  if (type->empty() || type->size() > bytes_max) {
    return fail(Errc::bad_type,
                fmt::format("\"type\" has {} bytes, 1 to {} are taken", type->size(), bytes_max));
  }
  return *std::move(type);
}

template <class Json, class Holder>
Result<typename Json::Text> session_in(Holder holder) {
  const auto value = Json::member(holder, "session_id");
  if (!value || Json::is_null(*value)) {
    return typename Json::Text();
  }
  auto session = Json::text(*value);
  if (!session) {
    return fail(Errc::bad_field, "\"session_id\" must be a string");
  }
  if (session->size() > limits::kSessionBytesMax) {
    return fail(Errc::bad_field, fmt::format("\"session_id\" has {} bytes, at most {} are taken",
                                             session->size(), limits::kSessionBytesMax));
  }
  return *std::move(session);
}

template <class Json>
Result<typename Json::Text> session_of(typename Json::Root event, const KnownType* known) {
  VIBES_TRY_ASSIGN(session, session_in<Json>(event));
  if (session.empty() && known != nullptr && known->category == Category::hook) {
    const auto value = Json::member(event, "event");
    if (const auto inner = value ? Json::object(*value) : std::nullopt) {
      return session_in<Json>(*inner);
    }
  }
  return session;
}

template <class Json>
Result<std::optional<Uuid>> event_id_of(typename Json::Root event) {
  const auto value = Json::member(event, "event_id");
  if (!value || Json::is_null(*value)) {
    return std::optional<Uuid>();
  }
  const auto text = Json::text(*value);
  const std::optional<Uuid> id = text ? parse_uuid(*text) : std::nullopt;
  if (!id || id->is_nil()) {
    return fail(Errc::bad_event_id, "36 characters, not all zero");
  }
  return id;
}

/// What the log keeps beside an event's payload. Valid as long as what Json looks at is.
template <class Json>
struct TakenOut {
  typename Json::Text type;
  typename Json::Text session;
  std::optional<Uuid> event_id;

  /// The event of which `payload` is the text.
  [[nodiscard]] NewEventView beside(std::string_view payload) const {
    return {payload, type, session, event_id};
  }
};

/// What check() wants of an object that is JSON we take, and what the log keeps beside it. One text
/// for both ways of looking at JSON (DomJson, RawJson), so that they cannot come to differ.
template <class Json>
Result<TakenOut<Json>> take_out(typename Json::Root root, const TakeOut& what) {
  VIBES_TRY_ASSIGN(type, type_of<Json>(root, what.type_bytes_max));
  const KnownType* known = find_known_type(type);
  if (known != nullptr && what.options.known_fields == KnownFields::check) {
    VIBES_TRY(check_shape<Json>(root, known->shape, what.options.unknown_types));
  } else if (known == nullptr && what.options.unknown_types == UnknownTypes::refuse) {
    return fail(Errc::unknown_type, fmt::format("\"{}\"", type));
  }
  VIBES_TRY_ASSIGN(session, session_of<Json>(root, known));
  VIBES_TRY_ASSIGN(event_id, event_id_of<Json>(root));
  return TakenOut<Json>{std::move(type), std::move(session), event_id};
}

}  // namespace vibes::event
