// SPDX-License-Identifier: MIT
#include <charconv>
#include <iostream>

#include <unistd.h>

#include "cli/parse.hpp"
#include "cli/term.hpp"
#include "event/filter.hpp"
#include "event_printer.hpp"
#include "eventlog/open.hpp"
#include "log_options.hpp"

namespace vibes::ctl {
namespace {

constexpr std::size_t kFlushBytes = 64U << 10U;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

Result<eventlog::Position> parse_position(const std::string& text) {
  if (text == "beginning") {
    return eventlog::Position(eventlog::Beginning{});
  }
  if (text == "end") {
    return eventlog::Position(eventlog::End{});
  }
  if (const auto offset = parse_number(text)) {
    return eventlog::Position(Offset(*offset));
  }
  if (text.starts_with('-')) {
    if (const auto count = parse_number(std::string_view(text).substr(1))) {
      return eventlog::Position(eventlog::FromEnd{*count});
    }
  }
  VIBES_TRY_ASSIGN(time, cli::parse_time(text, system_clock().now()));
  return eventlog::Position(eventlog::AtTime{time});
}

/// Prints the chosen events, as much of them as can be read.
class LogPrinter {
 public:
  LogPrinter(eventlog::EventLog& log, EventPrinter printer, const LogOptions& options)
      : log_(log), printer_(std::move(printer)), left_(options.count.value_or(UINT64_MAX)) {
    printer_.set_log_id(log.log_id());
  }

  Result<void> print(const LogOptions& options, cli::Report& report) {
    VIBES_TRY_ASSIGN(from, parse_position(options.from));
    VIBES_TRY_ASSIGN(until, parse_position(options.until));
    VIBES_TRY_ASSIGN(filter, event::Filter::make(options.types, options.session));
    VIBES_TRY_ASSIGN(stop, log_.resolve(until));
    VIBES_TRY_ASSIGN(reader, log_.reader(from));
    eventlog::ReadRequest request;
    request.filter = &filter;
    while (left_ > 0 && reader->position() < stop) {
      auto batch = reader->read(request);
      if (!batch) {
        flush();
        return fail(std::move(batch).error());
      }
      if (batch->gap) {
        report.warning("events " + std::to_string(batch->gap->from.value()) + " to " +
                       std::to_string(batch->gap->to.value() - 1) + " are gone (retention)");
        saw_gap_ = true;
      }
      if (!take(batch->events, stop)) {
        break;
      }
    }
    flush();
    return std::cout
               ? Result<void>()
               : fail(std::make_error_code(std::errc::io_error), "cannot write to standard output");
  }

  [[nodiscard]] bool saw_gap() const { return saw_gap_; }

 private:
  bool take(std::span<const event::EventView> events, Offset stop) {
    for (const event::EventView& event : events) {
      if (left_ == 0 || event.offset >= stop) {
        return false;
      }
      printer_.append(out_, event);
      --left_;
      if (out_.size() > kFlushBytes) {
        flush();
      }
    }
    return static_cast<bool>(std::cout);
  }

  void flush() {
    std::cout << out_ << std::flush;
    out_.clear();
  }

  eventlog::EventLog& log_;
  EventPrinter printer_;
  std::uint64_t left_;
  std::string out_;
  bool saw_gap_ = false;
};

ExitCode print_events(Session& session, const LogOptions& options, const std::string& format) {
  cli::LineStyle style;
  style.color = cli::wants_color(session.common.color, STDOUT_FILENO);
  style.escape = cli::is_terminal(STDOUT_FILENO);
  style.columns = cli::terminal_columns(STDOUT_FILENO);
  auto printer = EventPrinter::make(format, std::nullopt, style);
  const auto directory = directory_of(options);
  if (!printer || !directory) {
    return report_error(session, printer ? directory.error() : printer.error());
  }
  auto log = eventlog::open_log_read_only("file:" + *directory);
  if (!log) {
    return report_error(session, log.error());
  }
  LogPrinter log_printer(**log, *std::move(printer), options);
  if (const auto printed = log_printer.print(options, session.report); !printed) {
    return report_error(session, printed.error());
  }
  return log_printer.saw_gap() ? ExitCode::gap : ExitCode::ok;
}

}  // namespace

ExitCode log_dump(Session& session, const LogOptions& options) {
  return print_events(session, options, "dump");
}

ExitCode log_export(Session& session, const LogOptions& options) {
  return print_events(session, options, options.output);
}

}  // namespace vibes::ctl
