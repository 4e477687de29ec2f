// SPDX-License-Identifier: MIT
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/paths.hpp"
#include "log_options.hpp"
#include "verb.hpp"
#include "verb_family.hpp"

namespace vibes::ctl {
namespace {

void add_selection(CLI::App& verb, LogOptions& options) {
  verb.add_option("--from", options.from,
                  "Start at beginning, an offset, -N from the end or a time [beginning]")
      ->type_name("POS");
  verb.add_option("--until", options.until, "Stop before an offset or a time, or at end [end]")
      ->type_name("POS");
  verb.add_option("--types", options.types, "Only these categories or types, comma-separated")
      ->type_name("TYPES")
      ->delimiter(',');
  verb.add_option("--session", options.session, "Only events of this session")->type_name("ID");
  verb.add_option("-C,--count", options.count, "Stop after COUNT events")->type_name("COUNT");
}

}  // namespace

Result<std::string> directory_of(const LogOptions& options) {
  constexpr std::string_view kFile = "file:";
  if (options.log.empty()) {
    VIBES_TRY_ASSIGN(paths, default_paths());
    return paths.log.string();
  }
  const std::string directory =
      options.log.starts_with(kFile) ? options.log.substr(kFile.size()) : options.log;
  return std::filesystem::absolute(directory).string();
}

void add_log(CLI::App& app, Session& session) {
  auto options = std::make_shared<LogOptions>();
  VerbFamily family(app, session, "log", "Look into a log on disk, with or without a server");
  const auto add = [&](const char* name, const char* description, auto run) {
    CLI::App* sub =
        family.add(name, description, [&session, options, run] { return run(session, *options); });
    sub->add_option("LOG", options->log, "Its directory [the server's default]");
    return sub;
  };
  add("info", "What the log holds: offsets, times, segments, groups", log_info)
      ->add_flag("--json", options->json, "Print JSON");
  add("verify", "Read every byte and check it; status 65 if the log is damaged", log_verify)
      ->add_flag("--json", options->json, "Print JSON");
  add_selection(*add("dump", "Print events for a person", log_dump), *options);
  CLI::App* exporter =
      add("export", "Print events for a program, one JSON object a line", log_export);
  add_selection(*exporter, *options);
  exporter
      ->add_option("-o,--output", options->output,
                   "json (with envelope), cat (the event alone) or cloudevents [json]")
      ->check(CLI::IsMember({"json", "cat", "cloudevents"}))
      ->type_name("FORMAT");
  family.footer(
      "Examples:\n"
      "  vibesctl log info\n"
      "  vibesctl log verify /backup/vibes/log\n"
      "  vibesctl log export --types hook -o cloudevents > hooks.ndjson");
}

}  // namespace vibes::ctl
