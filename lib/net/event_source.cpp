// SPDX-License-Identifier: MIT
#include "net/event_source.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "consumers/session_links.hpp"
#include "event/codec.hpp"
#include "event/cursor.hpp"
#include "net/read_query.hpp"

namespace vibes::net {

namespace {

class EventSource final : public Endpoint {
 public:
  EventSource(Connection& connection, eventlog::EventLog& log, ReadQuery query,
              std::unique_ptr<eventlog::Reader> reader)
      : connection_(connection),
        log_(log),
        query_(std::move(query)),
        reader_(std::move(reader)),
        log_id_(log.log_id()) {}

  void on_open() override {
    text_ = ": vibes\n\n";
    connection_.set_timer(limits::kHeartbeatDefault);
    connection_.request_write();
  }
  void on_message(std::string_view /*text*/) override {}

  void on_writable() override {
    if (text_.empty() && !over_) {
      fill();
    }
    if (!text_.empty()) {
      connection_.write_text(std::exchange(text_, {}));
      silent_ = false;
    }
    if (over_) {
      connection_.close(CloseCode::normal, "");
    } else if (reader_->position() < log_.end()) {
      connection_.request_write();
    }
  }

  void on_timer() override {
    if (std::exchange(silent_, true)) {
      text_ += ": heartbeat\n\n";
      connection_.request_write();
    }
    connection_.set_timer(limits::kHeartbeatDefault);
  }
  void on_log_moved() override { connection_.request_write(); }
  void on_stop() override { connection_.close(CloseCode::going_away, ""); }

 private:
  void fill() {
    eventlog::ReadRequest request;
    request.bytes_max = limits::kWriteChunkBytes;
    request.scan_bytes_max = limits::kScanSliceBytes;
    request.filter = &query_.filter;
    const auto batch = reader_->read(request);
    if (!batch) {
      return finish("error", read_error(batch.error()).body);
    }
    if (batch->gap) {
      append_named("gap", fmt::format(R"({{"from":{},"to":{},"reason":"retention"}})",
                                      batch->gap->from.value(), batch->gap->to.value() - 1));
    }
    for (const event::EventView& event : batch->events) {
      if (query_.until && event.offset >= *query_.until) {
        break;
      }
      append(event);
    }
    if (query_.until && reader_->position() >= *query_.until) {
      finish("end", "{}");
    }
  }

  void append(const event::EventView& event) {
    const event::Cursor after{log_id_, event.offset + 1, event::cursor_check(event)};
    envelope_.clear();
    event::append_envelope(envelope_, event);
    text_ += "id: ";
    text_ += event::to_string(after);
    text_ += '\n';
    append_sse_data(text_, envelope_);
    text_ += '\n';
  }

  void append_named(std::string_view name, std::string_view data) {
    fmt::format_to(std::back_inserter(text_), "event: {}\n", name);
    append_sse_data(text_, data);
    text_ += '\n';
  }

  void finish(std::string_view name, std::string_view data) {
    append_named(name, data);
    over_ = true;
  }

  Connection& connection_;
  eventlog::EventLog& log_;
  const ReadQuery query_;
  const std::unique_ptr<eventlog::Reader> reader_;
  const Uuid log_id_;
  std::string text_;
  std::string envelope_;
  bool silent_ = true;
  bool over_ = false;
};

}  // namespace

void append_sse_data(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t line_end = std::min(text.find_first_of("\r\n"), text.size());
    out += "data: ";
    out += text.substr(0, line_end);
    out += '\n';
    if (line_end == text.size()) {
      return;
    }
    text.remove_prefix(line_end + 1);
  }
}

Result<EndpointMaker> plan_event_source(const RequestHead& head, eventlog::EventLog& log,
                                        consumers::SessionLinks& links) {
  VIBES_TRY_ASSIGN(query, parse_read_query(head, "end", log));
  links.widen(query.filter, query.reach);
  VIBES_TRY_ASSIGN(opened, log.reader(query.from));
  // Shared because a std::function must be copyable; the one call takes it.
  auto reader = std::make_shared<std::unique_ptr<eventlog::Reader>>(std::move(opened));
  return EndpointMaker([&log, query, reader](Connection& connection) -> std::unique_ptr<Endpoint> {
    return std::make_unique<EventSource>(connection, log, query, std::move(*reader));
  });
}

}  // namespace vibes::net
