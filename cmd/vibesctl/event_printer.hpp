// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "cli/event_line.hpp"
#include "cli/event_template.hpp"
#include "client/tail_client.hpp"

namespace vibes::ctl {

/// An event of the firehose with the fields that the wire leaves inside it. The views are those of
/// `event` and of this.
struct OwnedView {
  event::EventView view;
  std::string type;
  std::string session;
};
/// Fills `into`, which must not move while its view is used.
void complete(const client::TailEvent& event, OwnedView& into);

/// Turns events into lines of the chosen format. Each event is one line, whatever is in it.
class EventPrinter {
 public:
  /// `format`: short, dump (short behind its offset), json, cat or cloudevents; a template wins
  /// over it. Errors: a bad template.
  static Result<EventPrinter> make(std::string_view format,
                                   const std::optional<std::string>& line_template,
                                   const cli::LineStyle& style);

  /// Of the log, for cloudevents.
  void set_log_id(const Uuid& log_id) { log_id_ = log_id; }
  void set_columns(std::optional<std::size_t> columns) { style_.columns = columns; }
  void append(std::string& out, const client::TailEvent& event) const;
  void append(std::string& out, const event::EventView& event) const;

 private:
  enum class Format : unsigned char { line, dump, json, cat, cloudevents, templated };
  void append_json(std::string& out, const client::TailEvent& event) const;
  void append_completed(std::string& out, const event::EventView& view) const;
  void append_on_one_line(std::string& out, std::string_view text) const;

  Format format_ = Format::line;
  cli::EventTemplate template_;
  cli::LineStyle style_;
  Uuid log_id_;
};

}  // namespace vibes::ctl
