// SPDX-License-Identifier: MIT
#include "eventlog/file/log_info.hpp"

#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/local_time.hpp"
#include "cli/term.hpp"
#include "eventlog/file/verifier.hpp"
#include "io/file_system.hpp"
#include "log_options.hpp"
#include "text_table.hpp"

namespace vibes::ctl {
namespace {

using eventlog::file::Finding;
using eventlog::file::LogInfo;
using eventlog::file::VerifyReport;
using Json = nlohmann::ordered_json;

std::string shown_time(Timestamp time) {
  return time == Timestamp{} ? "-" : cli::local_time_long(time);
}

Json time_json(Timestamp time) { return time == Timestamp{} ? Json() : Json(format_rfc3339(time)); }

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json to_json(const LogInfo& info) {
  Json json;
  json["log_id"] = to_string(info.log_id);
  json["directory"] = info.directory;
  json["first"] = info.first.value();
  json["end"] = info.end.value();
  json["first_time"] = time_json(info.first_time);
  json["last_time"] = time_json(info.last_time);
  json["bytes"] = info.bytes;
  json["epoch"] = info.epoch;
  json["note"] = info.note;
  json["segments"] = Json::array();
  for (const LogInfo::Segment& segment : info.segments) {
    json["segments"].push_back({{"path", segment.path},
                                {"first", segment.first.value()},
                                {"end", segment.end.value()},
                                {"bytes", segment.bytes},
                                {"epoch", segment.epoch},
                                {"sealed", segment.sealed},
                                {"first_time", time_json(segment.first_time)},
                                {"last_time", time_json(segment.last_time)}});
  }
  json["groups"] = Json::object();
  for (const auto& [group, next] : info.groups) {
    json["groups"][group] = next.value();
  }
  if (info.durable) {
    json["durable"] = {{"end", info.durable->end.value()},
                       {"epoch", info.durable->epoch},
                       {"written", time_json(info.durable->written)},
                       {"closed", info.durable->closed}};
  }
  return json;
}

void print(const LogInfo& info) {
  const bool clean = info.durable && info.durable->closed;
  std::cout << fmt::format("log        {}\n", cli::escaped(info.directory))
            << fmt::format("id         {}\n", to_string(info.log_id))
            << fmt::format("offsets    {} to {} ({} events)\n", info.first.value(),
                           info.end.value(), info.end - info.first)
            << fmt::format("times      {} to {}\n", shown_time(info.first_time),
                           shown_time(info.last_time))
            << fmt::format("size       {} bytes in {} segments\n", info.bytes, info.segments.size())
            << fmt::format("last stop  {}\n",
                           clean ? "clean" : "none yet: open now, or ended by a crash");
  if (!info.note.empty()) {
    std::cout << "note       " << cli::escaped(info.note) << "\n";
  }
  TextTable segments({"SEGMENT", "FIRST", "END", "BYTES", "STATE", "FROM", "TO"});
  for (const LogInfo::Segment& segment : info.segments) {
    segments.add({cli::escaped(segment.path), std::to_string(segment.first.value()),
                  std::to_string(segment.end.value()), std::to_string(segment.bytes),
                  segment.sealed ? "sealed" : "active", shown_time(segment.first_time),
                  shown_time(segment.last_time)});
  }
  std::cout << "\n" << segments.text();
  if (!info.groups.empty()) {
    TextTable groups({"GROUP", "NEXT", "LAG"});
    for (const auto& [group, next] : info.groups) {
      const std::uint64_t lag = info.end > next ? info.end - next : 0;
      groups.add({cli::escaped(group), std::to_string(next.value()), std::to_string(lag)});
    }
    std::cout << "\n" << groups.text();
  }
}

std::string events_of(const Finding& finding) {
  return finding.from == finding.to
             ? ""
             : fmt::format(", events {} to {}", finding.from.value(), finding.to.value() - 1);
}

Json to_json(const VerifyReport& report) {
  Json json;
  json["damaged"] = report.is_damaged();
  json["log_id"] = report.log_id ? Json(to_string(*report.log_id)) : Json();
  json["first"] = report.first.value();
  json["end"] = report.end.value();
  json["events"] = report.events;
  json["batches"] = report.batches;
  json["segments"] = report.segments;
  json["bytes"] = report.bytes;
  json["findings"] = Json::array();
  for (const Finding& finding : report.findings) {
    json["findings"].push_back(
        {{"severity", finding.severity == Finding::Severity::damage ? "damage" : "note"},
         {"path", finding.path},
         {"position", finding.position},
         {"from", finding.from.value()},
         {"to", finding.to.value()},
         {"what", finding.what}});
  }
  return json;
}

void print(const VerifyReport& report, Session& session) {
  for (const Finding& finding : report.findings) {
    const std::string where = fmt::format("{} at byte {}{}: {}", finding.path, finding.position,
                                          events_of(finding), finding.what);
    if (finding.severity == Finding::Severity::damage) {
      session.report.error(where);
    } else {
      session.report.note("note: " + where);
    }
  }
  std::cout << fmt::format("{}: {} events, offsets {} to {}, {} batches, {} segments, {} bytes\n",
                           report.is_damaged() ? "DAMAGED" : "ok", report.events,
                           report.first.value(), report.end.value(), report.batches,
                           report.segments, report.bytes);
}

}  // namespace

ExitCode log_info(Session& session, const LogOptions& options) {
  const auto directory = directory_of(options);
  if (!directory) {
    return report_error(session, directory.error());
  }
  const auto info = eventlog::file::read_log_info(io::posix_file_system(), *directory);
  if (!info) {
    return report_error(session, info.error());
  }
  if (options.json) {
    std::cout << text_of(to_json(*info));
  } else {
    print(*info);
  }
  return ExitCode::ok;
}

ExitCode log_verify(Session& session, const LogOptions& options) {
  const auto directory = directory_of(options);
  if (!directory) {
    return report_error(session, directory.error());
  }
  const auto report = eventlog::file::verify_log(io::posix_file_system(), *directory);
  if (!report) {
    return report_error(session, report.error());
  }
  if (options.json) {
    std::cout << text_of(to_json(*report));
  } else {
    print(*report, session);
  }
  return report->is_damaged() ? ExitCode::damaged : ExitCode::ok;
}

}  // namespace vibes::ctl
