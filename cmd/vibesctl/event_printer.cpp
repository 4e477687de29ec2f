// SPDX-License-Identifier: MIT
#include "event_printer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/term.hpp"
#include "event/check.hpp"
#include "event/cloudevent.hpp"
#include "event/codec.hpp"

namespace vibes::ctl {

void complete(const client::TailEvent& event, OwnedView& into) {
  // The log holds only what was checked, so this finds what the log keeps beside the payload.
  if (auto checked = event::check(event.event)) {
    into.type = std::move(checked->type);
    into.session = std::move(checked->session);
  }
  into.view.offset = event.offset;
  into.view.event_id = parse_uuid(event.event_id).value_or(Uuid{});
  into.view.time = parse_rfc3339(event.time).value_or(Timestamp{});
  into.view.type = into.type;
  into.view.session = into.session;
  into.view.payload = event.event;
}

Result<EventPrinter> EventPrinter::make(std::string_view format,
                                        const std::optional<std::string>& line_template,
                                        const cli::LineStyle& style) {
  EventPrinter printer;
  printer.style_ = style;
  if (line_template) {
    VIBES_TRY_ASSIGN(parsed, cli::EventTemplate::parse(*line_template));
    printer.template_ = std::move(parsed);
    printer.format_ = Format::templated;
  } else if (format == "dump") {
    printer.format_ = Format::dump;
  } else if (format == "json") {
    printer.format_ = Format::json;
  } else if (format == "cat") {
    printer.format_ = Format::cat;
  } else if (format == "cloudevents") {
    printer.format_ = Format::cloudevents;
  }
  return printer;
}

void EventPrinter::append(std::string& out, const client::TailEvent& event) const {
  if (format_ == Format::json) {
    append_json(out, event);
  } else if (format_ == Format::cat) {
    append_on_one_line(out, event.event);
  } else {
    OwnedView owned;
    complete(event, owned);
    append_completed(out, owned.view);
  }
}

void EventPrinter::append(std::string& out, const event::EventView& event) const {
  if (format_ == Format::cat) {
    append_on_one_line(out, event.payload);
  } else if (format_ == Format::json) {
    std::string text;
    event::append_envelope(text, event);
    append_on_one_line(out, text);
  } else {
    append_completed(out, event);
  }
}

void EventPrinter::append_json(std::string& out, const client::TailEvent& event) const {
  out += R"({"event_id":")";
  out += event.event_id;
  out += R"(","offset":)";
  out += std::to_string(event.offset.value());
  out += R"(,"time":")";
  out += event.time;
  out += R"(","event":)";
  append_on_one_line(out, event.event);
  out.back() = '}';
  out += '\n';
}

void EventPrinter::append_completed(std::string& out, const event::EventView& view) const {
  if (format_ == Format::line) {
    cli::append_event_line(out, view, style_);
    return;
  }
  if (format_ == Format::dump) {
    const std::string offset = fmt::format("{:>8}  ", view.offset.value());
    cli::LineStyle rest = style_;
    if (rest.columns) {
      rest.columns = *rest.columns - std::min(*rest.columns, offset.size());
    }
    out += offset;
    cli::append_event_line(out, view, rest);
    return;
  }
  std::string text;
  if (format_ == Format::cloudevents) {
    event::append_cloudevent(text, view, log_id_);
    append_on_one_line(out, text);
    return;
  }
  template_.append(text, view);
  if (style_.escape) {
    // What the template itself breaks or indents stays so; the escapes in values were data.
    cli::append_escaped(out, text);
  } else {
    out += text;
  }
  out += '\n';
}

void EventPrinter::append_on_one_line(std::string& out, std::string_view text) const {
  if (style_.escape) {
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    cli::append_escaped(out, line);
  } else {
    event::append_payload(out, text);
  }
  out += '\n';
}

}  // namespace vibes::ctl
