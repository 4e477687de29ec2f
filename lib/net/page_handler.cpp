// SPDX-License-Identifier: MIT
#include "net/page_handler.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/codec.hpp"
#include "net/event_source.hpp"
#include "net/read_query.hpp"

namespace vibes::net {

namespace {

enum class PageFormat { json, ndjson };

/// A page in the making. Reads in slices, so that a rare filter over a long log does not hold up
/// the net thread; between slices the thread serves others.
class Page : public std::enable_shared_from_this<Page> {
 public:
  Page(eventlog::EventLog& log, ReadQuery query, PageFormat format, Responder responder,
       std::unique_ptr<eventlog::Reader> reader)
      : log_(log),
        query_(std::move(query)),
        format_(format),
        responder_(std::move(responder)),
        reader_(std::move(reader)),
        end_(std::min(query_.until.value_or(log.end()), log.end())),
        left_(query_.limit) {}

  void step() {
    const Result<bool> complete = read_slice();
    if (!complete) {
      responder_.send(read_error(complete.error()));
    } else if (*complete) {
      finish();
    } else {
      responder_.poster()([self = shared_from_this()] { self->step(); });
    }
  }

 private:
  /// True: the page is complete.
  Result<bool> read_slice() {
    if (reader_->position() >= end_ || left_ == 0) {
      return true;
    }
    eventlog::ReadRequest request;
    request.events_max = left_;
    request.bytes_max = limits::kPageBytesMax - std::min(events_.size(), limits::kPageBytesMax);
    request.scan_bytes_max = limits::kScanSliceBytes;
    request.filter = &query_.filter;
    VIBES_TRY_ASSIGN(batch, reader_->read(request));
    if (batch.gap) {
      gap_ = gap_ ? eventlog::Gap{gap_->from, batch.gap->to} : *batch.gap;
    }
    for (const event::EventView& event : batch.events) {
      if (event.offset >= end_) {
        reader_->seek(end_);
        return true;
      }
      add(event);
    }
    return events_.size() >= limits::kPageBytesMax;
  }

  void add(const event::EventView& event) {
    if (format_ == PageFormat::json && !events_.empty()) {
      events_ += ',';
    }
    const std::size_t start = events_.size();
    event::append_envelope(events_, event);
    if (format_ == PageFormat::ndjson) {
      // An event may have been sent over several lines; outside of strings a line end is but white
      // space.
      std::replace_if(
          events_.begin() + static_cast<std::ptrdiff_t>(start), events_.end(),
          [](char c) { return c == '\n' || c == '\r'; }, ' ');
      events_ += '\n';
    }
    --left_;
  }

  void finish() {
    auto cursor = log_.cursor_at(std::min(reader_->position(), log_.end()));
    if (!cursor) {
      responder_.send(read_error(cursor.error()));
      return;
    }
    const std::string next = event::to_string(*cursor);
    Response response;
    if (format_ == PageFormat::ndjson) {
      response.content_type = "application/x-ndjson";
      response.headers.emplace_back("Vibes-Next-Cursor", next);
      response.body = std::move(events_);
    } else {
      response.body = R"({"events":[)" + events_ + "]";
      const auto out = std::back_inserter(response.body);
      if (gap_) {
        fmt::format_to(out, R"(,"gap":{{"from":{},"to":{},"reason":"retention"}})",
                       gap_->from.value(), gap_->to.value() - 1);
      }
      fmt::format_to(out, R"(,"next_cursor":"{}","end":{}}})", next, log_.end().value());
    }
    responder_.send(std::move(response));
  }

  eventlog::EventLog& log_;
  const ReadQuery query_;
  const PageFormat format_;
  const Responder responder_;
  const std::unique_ptr<eventlog::Reader> reader_;
  const Offset end_;
  std::size_t left_;
  std::string events_;
  std::optional<eventlog::Gap> gap_;
};

bool accepts(const RequestHead& head, std::string_view type) {
  return head.accept.find(type) != std::string::npos;
}

void send_page(const RequestHead& head, const Responder& responder, Services& services) {
  eventlog::EventLog& log = services.log;
  auto query = parse_read_query(head, "beginning", log);
  if (!query) {
    return responder.send(read_error(query.error()));
  }
  services.links.widen(query->filter, query->reach);
  auto reader = log.reader(query->from);
  if (!reader) {
    return responder.send(read_error(reader.error()));
  }
  const PageFormat format =
      accepts(head, "application/x-ndjson") ? PageFormat::ndjson : PageFormat::json;
  std::make_shared<Page>(log, *std::move(query), format, responder, *std::move(reader))->step();
}

}  // namespace

void read_events(const Request& request, const Responder& responder, Services& services) {
  if (!accepts(request.head, "text/event-stream")) {
    return send_page(request.head, responder, services);
  }
  auto maker = plan_event_source(request.head, services.log, services.links);
  if (!maker) {
    return responder.send(read_error(maker.error()));
  }
  responder.stream("text/event-stream", *maker);
}

}  // namespace vibes::net
