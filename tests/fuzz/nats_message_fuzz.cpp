// SPDX-License-Identifier: MIT
// A message that decodes is the one that would be sent. Four lines of headers (an empty one is none
// of it), then the body.
#include <array>

#include "eventlog/nats/codec.hpp"
#include "fuzz/fuzz.hpp"

using namespace vibes;
using namespace vibes::eventlog;

namespace {

std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line.empty() ? std::nullopt : std::optional(line);
}

nats::RawMessage raw_of(const nats::EncodedMessage& message) {
  nats::RawMessage raw;
  raw.body = message.body;
  const std::array<std::optional<std::string_view>*, 4> to = {&raw.id, &raw.offset, &raw.time,
                                                              &raw.count};
  for (std::size_t i = 0; i < message.headers.size(); ++i) {
    *to.at(i) = message.headers[i].second;
  }
  return raw;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  nats::RawMessage raw;
  raw.id = take_line(text);
  raw.offset = take_line(text);
  raw.time = take_line(text);
  raw.count = take_line(text);
  raw.body = text;
  const auto batch = nats::decode(raw);
  if (!batch) {
    VIBES_ASSERT(!batch.error().context.empty());
    return 0;
  }
  VIBES_ASSERT(!batch->events.empty());
  const auto message = nats::encode(*batch, "p");
  VIBES_ASSERT(message.subject.find_first_of(" *>\r\n") == std::string::npos);
  const auto again = nats::decode(raw_of(message));
  VIBES_ASSERT(again && again->first == batch->first && again->time == batch->time);
  VIBES_ASSERT(again->events.size() == batch->events.size());
  for (std::size_t i = 0; i < batch->events.size(); ++i) {
    VIBES_ASSERT(again->events[i].payload == batch->events[i].payload);
    VIBES_ASSERT(again->events[i].event_id == batch->events[i].event_id);
  }
  return 0;
}
