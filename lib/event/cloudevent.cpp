// SPDX-License-Identifier: MIT
#include "event/cloudevent.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/batch_builder.hpp"
#include "event/check_object.hpp"
#include "event/codec.hpp"
#include "event/elements.hpp"
#include "event/errc.hpp"

namespace vibes::event {
namespace {

constexpr std::string_view kTypePrefix = "dev.vibes.";

/// The members of a CloudEvent that are looked at, as they were sent.
struct Parts {
  std::optional<std::string_view> data;
  std::optional<std::string_view> version;
  std::optional<std::string_view> source;
  std::optional<std::string_view> id;
};

Parts parts_of(std::string_view json) {
  std::array<RawMember, 4> wanted{{{"data", {}}, {"specversion", {}}, {"source", {}}, {"id", {}}}};
  find_raw_members(json, wanted);
  return {wanted[0].value, wanted[1].value, wanted[2].value, wanted[3].value};
}

/// The value of a required attribute. The text has been checked, so that decoding one string cannot
/// fail oddly.
Result<std::string> attribute(std::optional<std::string_view> raw, std::string_view name) {
  if (raw && raw->starts_with('"') && raw->size() > 2) {
    if (raw->find('\\') == std::string_view::npos) {
      return std::string(raw->substr(1, raw->size() - 2));
    }
    const auto value = nlohmann::json::parse(*raw, nullptr, false);
    if (value.is_string()) {
      return value.get<std::string>();
    }
  }
  return fail(Errc::bad_field, fmt::format("CloudEvent: \"{}\" must be a string of at least one "
                                           "character",
                                           name));
}

Result<Uuid> identity(const Parts& parts) {
  VIBES_TRY_ASSIGN(source, attribute(parts.source, "source"));
  VIBES_TRY_ASSIGN(id, attribute(parts.id, "id"));
  if (const auto uuid = parse_uuid(id); uuid && !uuid->is_nil()) {
    return *uuid;
  }
  // The specification makes source and id unique together; the length keeps them apart.
  return name_uuid(kUrlNamespace, fmt::format("{}:{}{}", source.size(), source, id));
}

/// The wrapping without what it wraps, so that the limits of an event hold for each of them and not
/// for both together.
std::string without(std::string_view json, std::string_view data) {
  const auto at = static_cast<std::size_t>(data.data() - json.data());
  std::string outer(json.substr(0, at));
  outer += "null";
  outer += json.substr(at + data.size());
  return outer;
}

}  // namespace

void append_cloudevent(std::string& out, const EventView& event, const Uuid& log_id) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"specversion":"1.0","id":"{}","source":"urn:vibes:{}","type":)",
                 to_string(event.event_id), to_string(log_id));
  append_json_string(out, std::string(kTypePrefix) + std::string(event.type));
  if (!event.session.empty()) {
    out += R"(,"subject":)";
    append_json_string(out, event.session);
  }
  fmt::format_to(std::back_inserter(out),
                 R"(,"time":"{}","sequence":"{:020}","datacontenttype":"application/json","data":)",
                 format_rfc3339(event.time), event.offset.value());
  append_payload(out, event.payload);
  out += '}';
}

Result<NewEvent> check_cloudevent(std::string_view json, const CheckOptions& options) {
  const Parts parts = parts_of(json);
  const auto& data = parts.data;
  // The wrapping is itself an object with a string `type`: the same check, its type of no interest
  // yet. It finds what parts_of() took for granted.
  VIBES_TRY_ASSIGN(outer, check_object(data ? without(json, *data) : std::string(json), {},
                                       limits::kTypeBytesMax + kTypePrefix.size()));
  VIBES_TRY_ASSIGN(version, attribute(parts.version, "specversion"));
  if (version != "1.0") {
    return fail(Errc::bad_field, "CloudEvent: \"specversion\" must be \"1.0\"");
  }
  VIBES_TRY_ASSIGN(id, identity(parts));
  const bool ours = outer.type.starts_with(kTypePrefix);
  if (ours && !data) {
    return fail(Errc::bad_field, "CloudEvent: \"data\" is missing");
  }
  VIBES_TRY_ASSIGN(event, check(ours ? *data : json, options));
  if (event.event_id && *event.event_id != id) {
    return fail(Errc::bad_event_id, "CloudEvent: \"id\" and the event's own \"event_id\" differ");
  }
  event.event_id = id;
  return event;
}

CheckedBatch check_cloudevents(std::string_view json_array, const CheckOptions& options) {
  BatchBuilder batch(json_array);
  const std::string_view text = trim(json_array);
  if (!text.starts_with('[')) {
    batch.refuse(0, {Errc::not_json, "a batch of CloudEvents is a JSON array"});
    return std::move(batch).finish();
  }
  Elements elements(text);
  for (std::size_t number = 1; const auto element = elements.next(); ++number) {
    if (!batch.add(number, check_cloudevent(*element, options))) {
      return std::move(batch).finish();
    }
  }
  if (const auto problem = elements.problem()) {
    batch.refuse(elements.count() + 1, {Errc::not_json, std::string(*problem)});
  }
  return std::move(batch).finish();
}

}  // namespace vibes::event
