// SPDX-License-Identifier: MIT
#include "event/codec.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "event/utf8.hpp"

namespace vibes::event {
namespace {

constexpr std::size_t kUuidBytes = 36;
constexpr std::size_t kTimeBytes = 27;
constexpr std::size_t kEnvelopeBytes = 160;  // around a payload, at most

void append_members(std::string& out, const EventView& event) {
  out += "\"event_id\":\"";
  const std::size_t id_at = out.size();
  out.resize(id_at + kUuidBytes);
  format_uuid(event.event_id, out.data() + id_at);
  out += "\",\"offset\":";
  char digits[20];
  const auto [end, error] =
      std::to_chars(std::begin(digits), std::end(digits), event.offset.value());
  static_cast<void>(error);  // 20 digits hold every 64-bit number
  out.append(digits, end);
  out += ",\"time\":\"";
  const std::size_t time_at = out.size();
  out.resize(time_at + kTimeBytes);
  format_rfc3339(event.time, out.data() + time_at);
  out += "\",\"event\":";
  append_payload(out, event.payload);
  out += '}';
}

bool needs_no_escape(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) {
                                return static_cast<unsigned char>(c) < 0x20 || c == '"' ||
                                       c == '\\' || c == 0x7f;
                              }) &&
         is_utf8(text);
}

}  // namespace

// JSON allows line ends between tokens only, where a space means the same. Whoever frames by lines
// (NDJSON, SSE) can rely on one event being one line.
void append_payload(std::string& out, std::string_view payload) {
  const std::size_t at = out.size();
  out += payload;
  // Two searches, because one for either byte asks about each byte on its own.
  if (payload.find('\n') == std::string_view::npos &&
      payload.find('\r') == std::string_view::npos) {
    return;
  }
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(at), out.end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void append_envelope(std::string& out, const EventView& event) {
  out.reserve(out.size() + event.payload.size() + kEnvelopeBytes);
  out += '{';
  append_members(out, event);
}

void append_event_frame(std::string& out, const EventView& event) {
  out.reserve(out.size() + event.payload.size() + kEnvelopeBytes);
  out += R"({"type":"event",)";
  append_members(out, event);
}

void append_json_string(std::string& out, std::string_view text) {
  if (needs_no_escape(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  using nlohmann::json;
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace vibes::event
