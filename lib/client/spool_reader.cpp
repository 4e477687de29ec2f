// SPDX-License-Identifier: MIT
#include "client/spool_reader.hpp"

#include <string_view>

#include <unistd.h>

#include "event/check.hpp"
#include "event/errc.hpp"

namespace vibes::client {
namespace {

constexpr std::size_t kIdBytes = 36;

Result<event::NewEvent> parse_line(std::string_view line) {
  const auto id = parse_uuid(line.substr(0, kIdBytes));
  if (!id || line.size() <= kIdBytes || line[kIdBytes] != ' ') {
    return fail(event::make_error_code(event::Errc::not_an_object), "not a line of a spool");
  }
  VIBES_TRY_ASSIGN(event, event::check(line.substr(kIdBytes + 1)));
  event.event_id = *id;
  return event;
}

}  // namespace

Result<SpoolReader::Batch> SpoolReader::next(std::size_t bytes) {
  std::string text;
  std::size_t whole = 0;  // bytes of `text` that are whole lines
  while (whole == 0) {
    const std::size_t before = text.size();
    text.resize(before + bytes);
    const ssize_t got =
        ::pread(fd_, text.data() + before, bytes, static_cast<off_t>(position_ + before));
    if (got < 0) {
      return fail_errno("cannot read the spool");
    }
    text.resize(before + static_cast<std::size_t>(got));
    if (got == 0) {
      break;
    }
    const auto last = text.rfind('\n');
    whole = last == std::string::npos ? 0 : last + 1;
  }
  position_ += whole;
  Batch batch;
  std::string_view rest(text.data(), whole);
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    auto event = parse_line(line);
    if (event) {
      batch.events.push_back(*std::move(event));
    } else {
      batch.damaged.push_back({std::string(line), event.error().message()});
    }
  }
  return batch;
}

}  // namespace vibes::client
