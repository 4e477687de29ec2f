// SPDX-License-Identifier: MIT
#include "eventlog/iggy/codec.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/check.hpp"
#include "event/codec.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::iggy {
namespace {

constexpr std::string_view kMark = R"({"vibes":)";
constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kBeforeId = R"({"event_id":")";
constexpr std::size_t kIdBytes = 36;
constexpr std::string_view kTurnBegin = R"({"vibes":1,"turn":")";
constexpr std::string_view kTurnEnd = "\"}\n";
/// Over it the header is none of ours: a length for each event, and some.
constexpr std::size_t kHeaderBytesMax = 8 * limits::kBatchEventsMax + 256;

/// The first line says all that decode() needs before it comes to an event.
struct Header {
  Offset first;
  Timestamp time;
  std::vector<std::size_t> bytes;  // of each payload
};

void append_header(std::string& out, const remote::RemoteBatch& batch) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"vibes":{},"offset":{},"count":{},"time":"{}","bytes":[)", kVersion,
                 batch.first.value(), batch.events.size(), format_rfc3339(batch.time));
  std::string_view separator;
  for (const event::NewEvent& event : batch.events) {
    fmt::format_to(std::back_inserter(out), "{}{}", separator, event.payload.size());
    separator = ",";
  }
  out += "]}\n";
}

void append_event(std::string& out, const event::NewEvent& event, Offset offset, Timestamp time) {
  event::append_envelope(out, {.offset = offset,
                               .event_id = *event.event_id,
                               .time = time,
                               .type = event.type,
                               .session = event.session,
                               .payload = event.payload});
  // An envelope has no line ends. The payload lies at its end, before the bracket.
  std::ranges::copy(event.payload,
                    out.end() - static_cast<std::ptrdiff_t>(event.payload.size()) - 1);
  out += '\n';
}

Unexpected foreign(std::string why) { return fail(Errc::foreign, std::move(why)); }

std::optional<std::uint64_t> number_in(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned()
             ? std::optional(found->get<std::uint64_t>())
             : std::nullopt;
}

Result<std::vector<std::size_t>> lengths_in(const nlohmann::json& header) {
  const auto count = number_in(header, "count");
  const auto found = header.find("bytes");
  if (!count || *count == 0 || *count > limits::kBatchEventsMax || found == header.end() ||
      !found->is_array() || found->size() != *count) {
    return foreign("its header does not say how long its events are");
  }
  std::vector<std::size_t> lengths;
  lengths.reserve(found->size());
  for (const nlohmann::json& length : *found) {
    if (!length.is_number_unsigned() || length.get<std::uint64_t>() > limits::kEventBytesMax) {
      return foreign("its header has a length that no event has");
    }
    lengths.push_back(length.get<std::size_t>());
  }
  return lengths;
}

Result<Header> parse_header(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return foreign("its header is no JSON object");
  }
  if (number_in(json, "vibes") != kVersion) {
    return foreign("it was written by another version");
  }
  const auto first = number_in(json, "offset");
  const auto time = json.find("time");
  const auto parsed = time != json.end() && time->is_string()
                          ? parse_rfc3339(time->get_ref<const std::string&>())
                          : std::nullopt;
  if (!first || !parsed) {
    return foreign("its header has no offset or no time");
  }
  VIBES_TRY_ASSIGN(lengths, lengths_in(json));
  if (*first > std::numeric_limits<std::uint64_t>::max() - lengths.size()) {
    return foreign("its offset is too large");
  }
  return Header{Offset(*first), *parsed, std::move(lengths)};
}

/// The event whose line begins at `at`, which moves behind it.
Result<event::NewEvent> parse_event(std::string_view payload, std::size_t& at, Offset offset,
                                    const Header& header, std::size_t length) {
  const auto id = payload.substr(at).starts_with(kBeforeId)
                      ? parse_uuid(payload.substr(at + kBeforeId.size(), kIdBytes))
                      : std::nullopt;
  if (!id) {
    return foreign(fmt::format("event {} does not begin as one", offset.value()));
  }
  std::string around;  // the envelope, as long as it is without its payload
  event::append_envelope(around, {.offset = offset,
                                  .event_id = *id,
                                  .time = header.time,
                                  .type = {},
                                  .session = {},
                                  .payload = {}});
  const std::size_t begin = at + around.size() - 1;
  if (begin > payload.size() || length > payload.size() - begin) {
    return foreign(fmt::format("event {} is cut off", offset.value()));
  }
  auto checked =
      event::check(payload.substr(begin, length), {.known_fields = event::KnownFields::ignore});
  if (!checked) {
    return foreign(fmt::format("event {}: {}", offset.value(), checked.error().message()));
  }
  checked->event_id = *id;
  at = std::min(begin + length + 2, payload.size());  // "}\n"
  return checked;
}

}  // namespace

std::string encode(const remote::RemoteBatch& batch) {
  std::string payload;
  append_header(payload, batch);
  Offset offset = batch.first;
  for (const event::NewEvent& event : batch.events) {
    append_event(payload, event, offset, batch.time);
    ++offset;
  }
  return payload;
}

std::string encode_turn(std::string_view who) {
  return fmt::format("{}{}{}", kTurnBegin, who, kTurnEnd);
}

std::optional<std::string_view> decode_turn(std::string_view payload) {
  if (payload.size() != kTurnBegin.size() + kIdBytes + kTurnEnd.size() ||
      !payload.starts_with(kTurnBegin) || !payload.ends_with(kTurnEnd)) {
    return std::nullopt;
  }
  return payload.substr(kTurnBegin.size(), kIdBytes);
}

Result<remote::RemoteBatch> decode(std::string_view payload) {
  const auto line_end = payload.substr(0, kHeaderBytesMax).find('\n');
  if (!payload.starts_with(kMark) || line_end == std::string_view::npos) {
    return foreign("it does not begin as a message of vibes");
  }
  VIBES_TRY_ASSIGN(header, parse_header(payload.substr(0, line_end)));
  remote::RemoteBatch batch{.first = header.first, .time = header.time, .events = {}};
  std::size_t at = line_end + 1;
  for (const std::size_t length : header.bytes) {
    VIBES_TRY_ASSIGN(event, parse_event(payload, at, batch.end(), header, length));
    batch.events.push_back(std::move(event));
  }
  // What was skipped above, spellings and what else may be there, is compared in one go.
  return encode(batch) == payload ? Result<remote::RemoteBatch>(std::move(batch))
                                  : foreign("it is not as vibes writes it");
}

}  // namespace vibes::eventlog::iggy
