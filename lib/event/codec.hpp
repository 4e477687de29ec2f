// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "event/event.hpp"

namespace vibes::event {

/// Appends the envelope as a JSON object: {"event_id":…,"offset":…,"time":…,"event":…}. The payload
/// is copied as it is stored, but for line ends between its tokens, which become spaces: an
/// envelope is one line.
void append_envelope(std::string& out, const EventView& event);

/// Appends the payload on one line: as it is stored, but for line ends between its tokens, which
/// become spaces.
void append_payload(std::string& out, std::string_view payload);

/// Appends the wire's live frame: {"type":"event","event_id":…,"offset":…,"time":…,"event":…}.
void append_event_frame(std::string& out, const EventView& event);

/// Appends `text` as a JSON string with its quotes. Invalid UTF-8 is replaced by U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace vibes::event
