// SPDX-License-Identifier: MIT
#include <filesystem>
#include <memory>
#include <string>

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

LogCopyOptions::Groups groups_of(const std::string& which) {
  using Groups = LogCopyOptions::Groups;
  if (which == "missing") {
    return Groups::missing;
  }
  return which == "all" ? Groups::all : Groups::none;
}

void add_copy(VerbFamily& family, Session& session) {
  auto options = std::make_shared<LogCopyOptions>();
  CLI::App* verb = family.add("copy", "Copy a log into another, of any engine, and compare them",
                              [&session, options] { return log_copy(session, *options); });
  verb->add_option("SRC", options->source, "A directory, file:DIR or nats://HOST/STREAM")
      ->required();
  verb->add_option("DST", options->target, "The same; made if it is missing")->required();
  verb->add_option_function<std::string>(
          "--groups", [options](const std::string& which) { options->groups = groups_of(which); },
          "Committed offsets to copy: missing (in a file), all or none [missing]")
      ->check(CLI::IsMember({"missing", "all", "none"}))
      ->type_name("WHICH");
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
  VerbFamily family(app, session, "log",
                    "Look into a log on disk, or copy one, with or without a server");
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
  add_copy(family, session);
  family.footer(
      "Examples:\n"
      "  vibesctl log info\n"
      "  vibesctl log verify /backup/vibes/log\n"
      "  vibesctl log export --types hook -o cloudevents > hooks.ndjson\n"
      "  vibesctl log copy ~/.local/share/vibes/log nats://127.0.0.1/vibes");
}

}  // namespace vibes::ctl
