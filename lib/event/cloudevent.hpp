// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "event/check.hpp"
#include "event/event.hpp"

namespace vibes::event {

/// CloudEvents 1.0, structured mode (https://github.com/cloudevents/spec, JSON event format):
/// id=event_id, source=urn:vibes:<log_id>, type=dev.vibes.<type>, subject=session, time,
/// sequence=zero-padded offset (so that it sorts as text), datacontenttype=application/json,
/// data=event.
void append_cloudevent(std::string& out, const EventView& event, const Uuid& log_id);

/// The way back: a CloudEvent whose type starts with dev.vibes. yields its `data` as the event;
/// another CloudEvent becomes an event of its own type with all its attributes kept. The id becomes
/// the event_id if it is a UUID, otherwise one derived from source and id (UUIDv5), so that
/// resending stays idempotent.
Result<NewEvent> check_cloudevent(std::string_view json, const CheckOptions& options = {});
CheckedBatch check_cloudevents(std::string_view json_array, const CheckOptions& options = {});

}  // namespace vibes::event
