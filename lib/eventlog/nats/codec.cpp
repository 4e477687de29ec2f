// SPDX-License-Identifier: MIT
#include "eventlog/nats/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "base/limits.hpp"
#include "event/check.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::nats {
namespace {

constexpr std::size_t kUuidBytes = 36;
constexpr std::size_t kTimeBytes = 27;
constexpr std::size_t kTokenBytesMax = 128;

using remote::RemoteBatch;

Unexpected foreign(std::string_view why) {
  return fail(make_error_code(Errc::foreign), std::string(why));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// Only as encode() writes it: with microseconds, in UTC.
std::optional<Timestamp> parse_time(std::string_view text) {
  const auto time =
      text.size() == kTimeBytes && text.back() == 'Z' ? parse_rfc3339(text) : std::nullopt;
  return time && format_rfc3339(*time) == text ? time : std::nullopt;
}

/// The session that all events have; empty where they differ.
std::string_view common_session(const RemoteBatch& batch) {
  const std::string_view session = batch.events.front().session;
  const bool same = std::ranges::all_of(
      batch.events, [&](const event::NewEvent& event) { return event.session == session; });
  return same ? session : std::string_view{};
}

bool may_stand(char c) {
  return c > ' ' && c < 0x7f && c != '.' && c != '*' && c != '>' && c != '%' && c != '~';
}

void append_frame(std::string& out, const event::NewEvent& event) {
  out += to_string(*event.event_id);
  out += ' ';
  out += std::to_string(event.payload.size());
  out += '\n';
  out += event.payload;
  out += '\n';
}

Result<event::NewEvent> decode_event(std::string_view payload, std::string_view id_text) {
  const auto id = parse_uuid(id_text);
  if (!id || id->is_nil()) {
    return foreign("an event's id is no UUID");
  }
  auto event = event::check(payload, {.known_fields = event::KnownFields::ignore});
  if (!event) {
    return foreign("no event: " + event.error().message());
  }
  // check() drops white space around an event, so ours have none.
  if (event->payload.size() != payload.size()) {
    return foreign("white space around an event");
  }
  event->event_id = id;
  return event;
}

/// Takes "ID LENGTH\nPAYLOAD\n" off the front of `body`.
Result<event::NewEvent> take_frame(std::string_view& body) {
  const auto line_end = body.find('\n');
  if (line_end == std::string_view::npos || line_end <= kUuidBytes || body[kUuidBytes] != ' ') {
    return foreign("the line before an event is none");
  }
  const auto length = parse_number(body.substr(kUuidBytes + 1, line_end - kUuidBytes - 1));
  const std::string_view after = body.substr(line_end + 1);
  if (!length || *length >= after.size() || after[*length] != '\n') {
    return foreign("an event's length does not fit");
  }
  auto event = decode_event(after.substr(0, *length), body.substr(0, kUuidBytes));
  body = after.substr(*length + 1);
  return event;
}

Result<void> decode_several(RemoteBatch& batch, const RawMessage& message) {
  const auto count = parse_number(*message.count);
  if (!count || *count == 0 || *count > limits::kBatchEventsMax) {
    return foreign(fmt::format("{} is no count", kCountHeader));
  }
  std::string_view rest = message.body;
  while (batch.events.size() < *count) {
    VIBES_TRY_ASSIGN(event, take_frame(rest));
    batch.events.push_back(std::move(event));
  }
  if (!rest.empty()) {
    return foreign("bytes behind the last event");
  }
  if (*message.id != fmt::format("{}+{}", to_string(*batch.events.front().event_id), *count)) {
    return foreign(fmt::format("{} is not that of the first event", kIdHeader));
  }
  return {};
}

}  // namespace

std::string session_token(std::string_view session) {
  if (session.empty()) {
    return "_";
  }
  std::string token;
  for (const char c : session) {
    // A session that is called "_" is not the same as none.
    if (may_stand(c) && session != "_") {
      token += c;
    } else {
      token += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    if (token.size() > kTokenBytesMax - 3) {
      token += fmt::format("~{:08x}", crc32c(session));
      break;
    }
  }
  return token;
}

std::string id_of(const RemoteBatch& batch) {
  const std::string first = to_string(*batch.events.front().event_id);
  const std::size_t count = batch.events.size();
  return count == 1 ? first : fmt::format("{}+{}", first, count);
}

EncodedMessage encode(const RemoteBatch& batch, std::string_view subject_prefix) {
  VIBES_ASSERT(!batch.events.empty());
  EncodedMessage message;
  message.subject = fmt::format("{}.{}", subject_prefix, session_token(common_session(batch)));
  const std::size_t count = batch.events.size();
  message.headers.emplace_back(kIdHeader, id_of(batch));
  message.headers.emplace_back(kOffsetHeader, std::to_string(batch.first.value()));
  message.headers.emplace_back(kTimeHeader, format_rfc3339(batch.time));
  if (count == 1) {
    message.body = batch.events.front().payload;
    return message;
  }
  message.headers.emplace_back(kCountHeader, std::to_string(count));
  for (const event::NewEvent& event : batch.events) {
    append_frame(message.body, event);
  }
  return message;
}

Result<RemoteBatch> decode(const RawMessage& message) {
  if (!message.id || !message.offset || !message.time) {
    return foreign("it has none of vibes' headers");
  }
  const auto offset = parse_number(*message.offset);
  constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();
  if (!offset || *offset > kOffsetMax) {
    return foreign(fmt::format("{} is no offset", kOffsetHeader));
  }
  const auto time = parse_time(*message.time);
  if (!time) {
    return foreign(fmt::format("{} is no time", kTimeHeader));
  }
  RemoteBatch batch{Offset(*offset), *time, {}};
  if (message.count) {
    VIBES_TRY(decode_several(batch, message));
    return batch;
  }
  VIBES_TRY_ASSIGN(event, decode_event(message.body, *message.id));
  batch.events.push_back(std::move(event));
  return batch;
}

}  // namespace vibes::eventlog::nats
