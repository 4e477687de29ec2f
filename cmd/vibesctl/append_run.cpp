// SPDX-License-Identifier: MIT
#include "append_run.hpp"

#include <iostream>
#include <utility>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/paths.hpp"
#include "cli/parse.hpp"
#include "client/errc.hpp"
#include "client/producer.hpp"
#include "event/check.hpp"
#include "event/errc.hpp"
#include "line_source.hpp"

namespace vibes::ctl {
namespace {

constexpr std::size_t kBatchBytes = 512 * limits::kKiB;
constexpr std::size_t kBatchEvents = 4'096;

/// Events on their way, and those among them that were bad, with where they came from.
struct Batch {
  struct Refused {
    std::size_t number = 0;
    Error why;
  };
  std::vector<event::NewEvent> events;
  std::vector<std::size_t> numbers;  // of each event
  std::vector<Refused> refused;
  std::size_t bytes = 0;
  Timestamp began;  // when it got its first event
};

/// Fills one batch while the server has another.
class Appender {
 public:
  Appender(Session& session, const AppendOptions& options, client::Producer producer,
           const char* unit)
      : session_(session), options_(options), producer_(std::move(producer)), unit_(unit) {}

  /// Checks one event; a bad one is remembered, the others go on.
  void add(std::string_view json, std::size_t number) {
    auto event = event::check(json);
    if (!event) {
      refuse(number, std::move(event).error());
      return;
    }
    if (!event->event_id) {
      event->event_id = ids_.next(time_of_batch());
    }
    batch_.bytes += event->payload.size();
    batch_.events.push_back(*std::move(event));
    batch_.numbers.push_back(number);
  }

  void refuse(std::size_t number, Error why) { batch_.refused.push_back({number, std::move(why)}); }

  [[nodiscard]] bool is_full() const {
    return batch_.bytes >= kBatchBytes || batch_.events.size() >= kBatchEvents;
  }

  /// Sends what was added, once the batch before is settled. An error concerns everything.
  Result<void> send() {
    VIBES_TRY(settle());
    for (const Batch::Refused& bad : batch_.refused) {
      report(bad.number, bad.why);
    }
    batch_.refused.clear();
    if (!batch_.events.empty()) {
      std::swap(batch_, sent_);
      producer_.begin(sent_.events);
    }
    return {};
  }

  /// Waits until everything that was added is settled.
  Result<void> flush() {
    VIBES_TRY(send());
    return settle();
  }

  /// Waits until what was sent is settled.
  Result<void> settle() {
    if (sent_.events.empty()) {
      return {};
    }
    const Batch sent = std::exchange(sent_, {});
    VIBES_TRY_ASSIGN(receipts, producer_.finish());
    report_drain();
    std::string lines;
    for (std::size_t i = 0; i < receipts.size(); ++i) {
      settle(receipts[i], sent.numbers[i], lines);
    }
    std::cout << lines << std::flush;
    if (!std::cout) {
      return fail(std::make_error_code(std::errc::io_error), "cannot write receipts");
    }
    return {};
  }

  ExitCode finish() {
    if (spooled_ > 0) {
      session_.report.note(std::to_string(spooled_) + (spooled_ == 1 ? " event" : " events") +
                           " kept in the spool and sent with the next append (" + why_spooled_ +
                           ")");
    }
    if (pending_ > 0) {
      session_.report.note(std::to_string(pending_) + (pending_ == 1 ? " event" : " events") +
                           " pending: the server keeps them until the engine of its log is back");
    }
    return worst_;
  }

 private:
  /// Events of one time have ids that count up, of which the server need be told only the first.
  Timestamp time_of_batch() {
    if (batch_.events.empty()) {
      batch_.began = system_clock().now();
    }
    return batch_.began;
  }

  void report(std::size_t number, const Error& why) {
    session_.report.error(std::string(unit_) + " " + std::to_string(number) + ": " + why.message());
    worst_ = why.code == client::make_error_code(client::Errc::conflict) ? ExitCode::conflict
                                                                         : ExitCode::event_rejected;
  }

  void settle(const client::Receipt& receipt, std::size_t number, std::string& lines) {
    using Fate = client::Receipt::Fate;
    if (receipt.fate == Fate::refused) {
      report(number, *receipt.refusal);
    } else if (receipt.fate == Fate::spooled) {
      ++spooled_;
      why_spooled_ = producer_.unreachable()->message();
    } else if (receipt.fate == Fate::pending) {
      ++pending_;
    }
    if (options_.receipts) {
      lines += to_json(receipt, number) + "\n";
    }
  }

  [[nodiscard]] std::string to_json(const client::Receipt& receipt, std::size_t number) const {
    using Fate = client::Receipt::Fate;
    nlohmann::ordered_json json;
    json[unit_] = number;
    json["event_id"] = to_string(receipt.event_id);
    if (receipt.fate == Fate::refused) {
      json["refused"] = receipt.refusal->message();
    } else if (receipt.fate == Fate::spooled) {
      json["spooled"] = true;
    } else if (receipt.fate == Fate::pending) {
      json["pending"] = true;
      json["durability"] = receipt.durability;
    } else {
      json["offset"] = receipt.offset ? nlohmann::ordered_json(receipt.offset->value())
                                      : nlohmann::ordered_json();
      json["durability"] = receipt.durability;
      json["duplicate"] = receipt.fate == Fate::duplicate;
    }
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }

  void report_drain() {
    if (producer_.drained() > 0) {
      session_.report.note("sent " + std::to_string(producer_.drained()) +
                           " events from the spool first");
    }
    if (producer_.set_aside() > 0) {
      session_.report.warning(std::to_string(producer_.set_aside()) +
                              " spooled events were refused; they are in the file 'refused' of "
                              "the spool, with the reasons");
    }
  }

  Session& session_;
  const AppendOptions& options_;
  client::Producer producer_;
  const char* unit_;
  UuidV7Generator ids_;
  Batch batch_;  // being filled
  Batch sent_;   // with the server
  std::uint64_t spooled_ = 0;
  std::uint64_t pending_ = 0;
  std::string why_spooled_;
  ExitCode worst_ = ExitCode::ok;
};

/// The event that --type, --session and --data describe.
Result<std::string> made_event(const AppendOptions& options) {
  nlohmann::ordered_json json;
  json["type"] = *options.type;
  if (options.session) {
    json["session_id"] = *options.session;
  }
  if (options.data) {
    const auto data = nlohmann::ordered_json::parse(*options.data, nullptr, false);
    if (!data.is_object()) {
      return fail(std::make_error_code(std::errc::invalid_argument),
                  "--data is not a JSON object, as in '{\"ok\":true}'");
    }
    for (const auto& [key, value] : data.items()) {
      if (json.contains(key)) {
        return fail(std::make_error_code(std::errc::invalid_argument),
                    "--data may not give '" + key + "' again");
      }
      json[key] = value;
    }
  }
  return json.dump();
}

Result<void> add_lines(Appender& appender, const LineSource::Lines& lines) {
  for (std::size_t i = 0; i < lines.lines.size(); ++i) {
    const auto line = lines.lines[i];
    const bool cut = lines.overlong && i + 1 == lines.lines.size();
    if (cut) {
      appender.refuse(lines.first_number + i,
                      Error{event::make_error_code(event::Errc::too_large), "the line"});
    } else if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      appender.add(line, lines.first_number + i);
    }
    if (appender.is_full()) {
      VIBES_TRY(appender.send());
    }
  }
  return {};
}

/// A line is kept waiting only for lines that are there already.
Result<void> send_lines(Appender& appender) {
  LineSource source(STDIN_FILENO);
  for (;;) {
    VIBES_TRY_ASSIGN(lines, source.next(kBatchBytes));
    VIBES_TRY(add_lines(appender, lines));
    if (lines.at_end) {
      return appender.send();
    }
    VIBES_TRY_ASSIGN(more, source.ready(kBatchBytes));
    if (!more) {
      VIBES_TRY(appender.flush());
    }
  }
}

/// What stops the reading does not stop what was read before.
Result<void> append_lines(Appender& appender) {
  auto sent = send_lines(appender);
  if (!sent) {
    VIBES_TRY(appender.settle());
    return sent;
  }
  return appender.settle();
}

Result<void> append_arguments(Appender& appender, const AppendOptions& options) {
  std::size_t number = 1;
  if (options.type) {
    VIBES_TRY_ASSIGN(json, made_event(options));
    appender.add(json, number++);
  }
  for (const std::string& argument : options.events) {
    if (argument == "-") {
      VIBES_TRY_ASSIGN(json, read_all(STDIN_FILENO, 2 * limits::kEventBytesMax));
      appender.add(json, number++);
    } else {
      appender.add(argument, number++);
    }
    if (appender.is_full()) {
      VIBES_TRY(appender.flush());
    }
  }
  return appender.flush();
}

std::optional<std::string> mistake_in(const AppendOptions& options) {
  if (options.lines && (!options.events.empty() || options.type)) {
    return "-l takes its events from standard input only";
  }
  if (options.type && !options.events.empty()) {
    return "give either EVENT or --type";
  }
  if (!options.lines && !options.type && options.events.empty()) {
    return "no event: give EVENT, '-' for one from standard input, -l for lines, or --type";
  }
  return std::nullopt;
}

Result<client::Producer> make_producer(const Session& session, const AppendOptions& options) {
  client::ProducerOptions producer_options;
  producer_options.minimum_ack = options.ack;
  VIBES_TRY_ASSIGN(timeout, cli::parse_duration(options.timeout));
  producer_options.timeout = timeout;
  std::optional<client::Spool> spool;
  if (!options.no_spool) {
    VIBES_TRY_ASSIGN(paths, default_paths());
    spool.emplace(paths.spool());
  }
  VIBES_TRY_ASSIGN(target, find_target(session));
  return client::Producer(std::move(target), std::move(spool), std::move(producer_options));
}

}  // namespace

ExitCode run_append(Session& session, const AppendOptions& options) {
  if (const auto mistake = mistake_in(options)) {
    session.report.error(*mistake);
    session.report.hint("see 'vibesctl append --help'");
    return ExitCode::usage;
  }
  auto producer = make_producer(session, options);
  if (!producer) {
    return report_error(session, producer.error());
  }
  Appender appender(session, options, *std::move(producer), options.lines ? "line" : "event");
  const auto done = options.lines ? append_lines(appender) : append_arguments(appender, options);
  const ExitCode partial = appender.finish();
  return done ? partial : report_error(session, done.error());
}

}  // namespace vibes::ctl
