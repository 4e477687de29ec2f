// SPDX-License-Identifier: MIT
#include "log_command.hpp"

#include <iostream>

#include <fmt/format.h>

#include "cli/term.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/file/verifier.hpp"
#include "eventlog/open.hpp"
#include "io/file_system.hpp"
#include "verify/log_image.hpp"

namespace vibes::verify_cmd {
namespace {

using eventlog::file::Finding;

std::string describe(const Finding& finding) {
  std::string text = fmt::format("{}: {}:{}: {}",
                                 finding.severity == Finding::Severity::damage ? "damage" : "note",
                                 finding.path, finding.position, finding.what);
  if (finding.from < finding.to) {
    text += fmt::format(" (offsets {} to {})", finding.from.value(), finding.to.value() - 1);
  }
  return cli::escaped(text);
}

cli::ExitCode exit_code_of(const Error& error) {
  if (error.code == eventlog::Errc::corrupt) {
    return cli::ExitCode::damaged;
  }
  if (error.code == eventlog::Errc::foreign || error.code == std::errc::no_such_file_or_directory) {
    return cli::ExitCode::not_found;
  }
  return cli::ExitCode::io_error;
}

}  // namespace

cli::ExitCode check_log_directory(const std::string& directory, cli::Report& report) {
  auto checked = eventlog::file::verify_log(io::posix_file_system(), directory);
  if (!checked) {
    report.error(checked.error());
    return exit_code_of(checked.error());
  }
  for (const Finding& finding : checked->findings) {
    std::cout << describe(finding) << '\n';
  }
  std::cout << fmt::format("{}: {} events [{}, {}) in {} segments, {} bytes: {}\n",
                           cli::escaped(directory), checked->events, checked->first.value(),
                           checked->end.value(), checked->segments, checked->bytes,
                           checked->is_damaged() ? "DAMAGED" : "ok");
  return checked->is_damaged() ? cli::ExitCode::damaged : cli::ExitCode::ok;
}

Result<std::vector<verify::Logged>> read_offline(const std::filesystem::path& directory) {
  VIBES_TRY_ASSIGN(log, eventlog::open_log_read_only("file:" + directory.string()));
  VIBES_TRY_ASSIGN(reader, log->reader(eventlog::Beginning{}));
  std::vector<verify::Logged> events;
  const Offset end = log->end();
  while (reader->position() < end) {
    VIBES_TRY_ASSIGN(batch, reader->read({}));
    for (const event::EventView& event : batch.events) {
      events.push_back(verify::logged_event(verify::Image::offline, event.offset, event.event_id,
                                            event.payload));
    }
  }
  return events;
}

}  // namespace vibes::verify_cmd
