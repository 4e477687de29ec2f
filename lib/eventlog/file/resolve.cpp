// SPDX-License-Identifier: MIT
#include <algorithm>
#include <type_traits>

#include "eventlog/errc.hpp"
#include "eventlog/file/file_reader.hpp"

namespace vibes::eventlog::file {
namespace {

/// The first event of `time` or later, at most `end`.
Result<Offset> find_time(const ReadSource& source, Timestamp time, Offset end) {
  VIBES_TRY_ASSIGN(place, source.segments.place_at(time));
  if (!place) {
    return end;
  }
  const std::string path = source.layout.segment(place->segment.header.first);
  Offset at = place->stretch.from.offset;
  FileReader reader(source, at);
  while (at < end) {
    VIBES_TRY_ASSIGN(batch, reader.read({}));
    if (batch.gap) {
      at = batch.gap->to;
      continue;
    }
    if (batch.events.empty()) {
      break;
    }
    const auto found = std::find_if(batch.events.begin(), batch.events.end(),
                                    [&](const auto& event) { return event.time >= time; });
    if (found != batch.events.end()) {
      return std::min(found->offset, end);
    }
    at = reader.position();
  }
  return end;
}

}  // namespace

Result<Offset> resolve_without_ids(const ReadSource& source, const Position& position) {
  const Offset end = source.signal.end();
  // Retention may have passed the end that was read just before.
  const Offset first = std::min(source.segments.first(), end);
  return std::visit(
      [&](const auto& at) -> Result<Offset> {
        using At = std::decay_t<decltype(at)>;
        if constexpr (std::is_same_v<At, Beginning>) {
          return first;
        } else if constexpr (std::is_same_v<At, End>) {
          return end;
        } else if constexpr (std::is_same_v<At, FromEnd>) {
          return end - first > at.count ? end - at.count : first;
        } else if constexpr (std::is_same_v<At, AtTime>) {
          return find_time(source, at.time, end);
        } else if constexpr (std::is_same_v<At, Offset>) {
          if (at > end) {
            return fail(Errc::out_of_range, "offset " + std::to_string(at.value()) +
                                                "; the log ends at " + std::to_string(end.value()));
          }
          return at;
        } else {
          return fail(Errc::not_found, "event_id " + to_string(at.event_id));
        }
      },
      position);
}

}  // namespace vibes::eventlog::file
