// SPDX-License-Identifier: MIT
#include "verify/watcher.hpp"

#include <charconv>

#include <fmt/format.h>

#include "client/http_client.hpp"
#include "event/cursor.hpp"
#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

std::optional<Offset> as_offset(const std::string& from) {
  std::uint64_t value = 0;
  const char* end = from.data() + from.size();
  const auto [stop, error] = std::from_chars(from.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(Offset(value)) : std::nullopt;
}

}  // namespace

Watcher::Watcher(client::Target target, Recorder& recorder, WatchOptions options)
    : target_(std::move(target)), recorder_(recorder), options_(std::move(options)) {}

Result<void> Watcher::connect(const std::string& from, client::Deadline deadline) {
  std::string path = "/ws/firehose?batch=1&from=" + client::percent_encode(from);
  if (!options_.query.empty()) {
    path += "&" + options_.query;
  }
  if (!options_.group.empty()) {
    path += "&group=" + options_.group;
  }
  VIBES_TRY_ASSIGN(socket, client::WebSocket::connect(target_, path, deadline));
  socket_.emplace(std::move(socket));
  ++connection_;
  asked_ = options_.group.empty() ? as_offset(from) : std::nullopt;
  greeted_ = false;
  ended_ = false;
  while (!greeted_) {
    VIBES_TRY(take(deadline));
  }
  return {};
}

Result<void> Watcher::take(client::Deadline deadline) {
  VIBES_TRY_ASSIGN(text, socket_->receive(deadline));
  VIBES_TRY_ASSIGN(frame, reader_.read(text));
  return handle(frame);
}

Result<void> Watcher::take_to(Offset end, client::Deadline deadline) {
  while (next_ < end && !ended_) {
    VIBES_TRY(take(deadline));
  }
  return {};
}

void Watcher::drop() {
  if (socket_) {
    recorder_.add(Disconnect{options_.client, connection_, "dropped", 0});
    socket_.reset();
  }
}

Result<void> Watcher::commit(Offset next, client::Deadline deadline) {
  recorder_.add(Commit{options_.group, next, CommitPhase::invoke, 0});
  committed_.reset();
  VIBES_TRY(
      socket_->send(fmt::format(R"({{"type":"commit","offset":{}}})", next.value()), deadline));
  while (!committed_ || *committed_ < next) {
    VIBES_TRY(take(deadline));
  }
  recorder_.add(Commit{options_.group, *committed_, CommitPhase::ok, 0});
  return {};
}

Result<void> Watcher::handle(const client::Frame& frame) {
  if (const auto* error = std::get_if<client::ErrorFrame>(&frame)) {
    return fail(Errc::unexpected_answer, fmt::format("{}: {}", error->code, error->message));
  }
  if (const auto* committed = std::get_if<client::Committed>(&frame)) {
    committed_ = committed->offset;
  }
  ended_ = ended_ || std::holds_alternative<client::Ended>(frame);
  if (const auto* hello = std::get_if<client::HelloFrame>(&frame)) {
    note(*hello);
  } else if (const auto* events = std::get_if<client::Events>(&frame)) {
    note(*events);
  } else if (const auto* position = std::get_if<client::PositionFrame>(&frame)) {
    note(*position);
  } else if (const auto* gap = std::get_if<client::GapReport>(&frame)) {
    note(*gap);
  }
  return {};
}

void Watcher::note(const client::HelloFrame& frame) {
  greeted_ = true;
  cursor_ = frame.cursor;
  const auto cursor = event::parse_cursor(frame.cursor);
  next_ = asked_ ? *asked_ : cursor ? cursor->next : frame.hello.end;
  if (options_.group.empty()) {
    recorder_.add(
        Connect{options_.client, connection_, next_, options_.types, options_.session, 0});
  } else {
    recorder_.add(Join{options_.group, next_, 0});
  }
}

void Watcher::note(const client::Events& events) {
  for (const client::TailEvent& event : events.events) {
    const Uuid event_id = parse_uuid(event.event_id).value_or(Uuid{});
    if (options_.group.empty()) {
      recorder_.add(Delivery{options_.client, connection_, event.offset, event_id,
                             digest_of(event.event), 0});
    } else {
      recorder_.add(Process{options_.group, event.offset, event_id, 0});
    }
    next_ = event.offset + 1;
    ++seen_;
    if (options_.on_event) {
      options_.on_event(event);
    }
  }
}

void Watcher::note(const client::PositionFrame& frame) {
  cursor_ = frame.cursor;
  next_ = frame.report.offset;
  if (options_.group.empty()) {
    recorder_.add(Progress{options_.client, connection_, next_, 0});
  }
}

void Watcher::note(const client::GapReport& gap) {
  next_ = gap.to + 1;
  recorder_.add(GapNotice{options_.client, connection_, gap.from, gap.to + 1, 0});
}

}  // namespace vibes::verify
