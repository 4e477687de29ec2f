// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <iterator>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/options.hpp"
#include "cli/parse.hpp"
#include "engines/open.hpp"

namespace vibes::server {

namespace {

constexpr unsigned kNetThreadsDefaultMax = 4;
constexpr unsigned kNetThreadsMax = 64;
constexpr std::string_view kNone = "none";

constexpr const char* kFooter =
    "Every option but the last three may stand in $XDG_CONFIG_HOME/vibes/config.toml or in\n"
    "./.vibes/config.toml under its name without the dashes, or in the variable VIBES_NAME\n"
    "(VIBES_RETAIN_AGE). Flags win, then the environment, then the nearer file.\n"
    "\n"
    "  vibes-server --log memory: --listen 127.0.0.1:0     a throw-away server on a free port\n"
    "  vibes-server --retain-age 30d --retain-size 10GiB   keep a month, at most 10 GiB";

void add_options(CLI::App& app, OptionTexts& texts) {
  app.add_option("--listen", texts.listen, "Where to listen: HOST:PORT, or none; may be repeated")
      ->type_name("HOST:PORT")
      ->envname("VIBES_LISTEN")
      ->delimiter(',')
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--unix", texts.unix_path, "The unix socket, or none")
      ->type_name("PATH")
      ->envname("VIBES_UNIX");
  app.add_option("--log", texts.log,
                 "The event log: file:DIR, memory:, nats://HOST/STREAM, "
                 "iggy+http://USER:PASSWORD@HOST or iggy:DIR")
      ->type_name("URL")
      ->envname("VIBES_LOG");
  app.add_option("--durability", texts.durability,
                 "What an ack waits for: fsync, interval:MS or os")
      ->type_name("POLICY")
      ->envname("VIBES_DURABILITY");
  app.add_option("--auth", texts.auth, "token, or none: anyone on this machine may use the server")
      ->type_name("MODE")
      ->envname("VIBES_AUTH");
  app.add_option("--net-threads", texts.net_threads, "Threads that serve connections")
      ->type_name("N")
      ->envname("VIBES_NET_THREADS");
  app.add_option("--retain-age", texts.retain_age, "Drop events older than this: 30d")
      ->type_name("D")
      ->envname("VIBES_RETAIN_AGE");
  app.add_option("--retain-size", texts.retain_size, "Keep at most this much: 10GiB")
      ->type_name("B")
      ->envname("VIBES_RETAIN_SIZE");
  app.add_option("--engine-wait", texts.engine_wait,
                 "How long an engine elsewhere may take to answer at the start")
      ->type_name("D")
      ->envname("VIBES_ENGINE_WAIT");
  app.add_flag("--no-outbox", texts.no_outbox,
               "While the engine is away refuse appends, instead of keeping them here")
      ->envname("VIBES_NO_OUTBOX");
  app.add_option("--session-command", texts.session_command,
                 "What sessions run that name no command; default: your shell")
      ->type_name("CMD")
      ->envname("VIBES_SESSION_COMMAND");
  add_notify_options(app, texts.notify);
  app.add_flag("--strict-types", texts.strict_types, "Refuse events of unknown types")
      ->envname("VIBES_STRICT_TYPES");
  app.add_option("--assessment", texts.assessment,
                 "on: how sessions go is assessed, and appended as events")
      ->type_name("on|off")
      ->envname("VIBES_ASSESSMENT");
  app.add_option("--interventions", texts.interventions,
                 "on: agents are given interventions with their hooks' answers")
      ->type_name("on|off")
      ->envname("VIBES_INTERVENTIONS");
  const auto add_patterns = [&app](const char* flag, std::vector<std::string>& into,
                                   const char* help, const char* variable) {
    app.add_option(flag, into, help)
        ->type_name("WORDS")
        ->envname(variable)
        ->delimiter(',')
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  add_patterns("--assess-negative", texts.assess_negative,
               "Words that tell of trouble, beside the usual ones; may be repeated",
               "VIBES_ASSESS_NEGATIVE");
  add_patterns("--assess-positive", texts.assess_positive,
               "Words that tell of success, beside the usual ones; may be repeated",
               "VIBES_ASSESS_POSITIVE");
  add_backend_options(app, texts.assess_backend);
  app.add_option("--ready-fd", texts.ready_fd, "Write the URL to this descriptor once ready")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--check-config", texts.check_config, "Check the configuration and leave");
  app.add_flag("--print-config", texts.print_config, "Print the configuration as TOML and leave");
}

bool is_config_key(std::string_view name) {
  constexpr std::string_view kNotKeys[] = {"ready-fd", "check-config", "print-config", "help",
                                           "version"};
  return std::ranges::find(kNotKeys, name) == std::end(kNotKeys);
}

/// A file in the working directory comes with whatever was checked out there. It may say what is
/// kept and how, but not who may come in, from where, or what is run.
bool is_for_the_user_only(std::string_view name) {
  constexpr std::string_view kUserOnly[] = {"auth", "listen", "unix", "session-command",
                                            "assess-backend"};
  return std::ranges::find(kUserOnly, name) != std::end(kUserOnly) ||
         is_notify_option_for_the_user_only(name);
}

enum class ConfigFile : std::uint8_t { users, projects };

Unexpected bad_config(const std::filesystem::path& path, std::string_view what) {
  return fail(std::make_error_code(std::errc::invalid_argument),
              path.string() + ": " + std::string(what));
}

/// Gives every option that nobody has given yet what the file says.
Result<void> apply_config(CLI::App& app, const std::filesystem::path& path, ConfigFile kind) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return {};
  }
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(path.string())) {
      CLI::Option* option =
          item.parents.empty() ? app.get_option_no_throw("--" + item.name) : nullptr;
      if (option == nullptr || !is_config_key(item.name)) {
        return bad_config(path, "unknown key " + item.fullname());
      }
      if (kind == ConfigFile::projects && is_for_the_user_only(item.name)) {
        return bad_config(path, item.name +
                                    " may not be set by a project's file; put it into the user's "
                                    "config.toml or give --" +
                                    item.name);
      }
      // Or whoever is checked out would hear everything that happens here.
      if (kind == ConfigFile::projects && item.name == "log" &&
          std::ranges::any_of(item.inputs, engines::is_elsewhere)) {
        return bad_config(path, "a project's file may not name a log on another machine");
      }
      if (option->count() == 0) {
        option->add_result(item.inputs);
        option->run_callback();
      }
    }
  } catch (const CLI::Error& error) {
    return bad_config(path, error.what());
  }
  return {};
}

Unexpected bad_option(std::string_view option, const Error& error) {
  return fail(error.code, std::string(option) + ": " + error.context);
}

Unexpected bad_option(std::string_view option, std::string_view why) {
  return fail(std::make_error_code(std::errc::invalid_argument),
              std::string(option) + ": " + std::string(why));
}

Result<std::vector<net::ListenAddress>> check_listen(const std::vector<std::string>& texts) {
  std::vector<net::ListenAddress> addresses;
  if (texts.size() == 1 && texts.front() == kNone) {
    return addresses;
  }
  for (const std::string& text : texts) {
    auto address = net::parse_listen_address(text);
    if (!address) {
      return bad_option("--listen", address.error());
    }
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

Result<unsigned> check_net_threads(const std::string& text) {
  if (text.empty()) {
    // The other half is for who sits at the other end, and for the consumers.
    return std::clamp(std::thread::hardware_concurrency() / 2, 1U, kNetThreadsDefaultMax);
  }
  unsigned threads = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, threads);
  if (parsed.ec != std::errc() || parsed.ptr != end || threads == 0 || threads > kNetThreadsMax) {
    return bad_option("--net-threads", fmt::format("a number from 1 to {}", kNetThreadsMax));
  }
  return threads;
}

Result<eventlog::Retention> check_retention(const OptionTexts& texts) {
  eventlog::Retention retention;
  if (!texts.retain_age.empty()) {
    const auto age = cli::parse_duration(texts.retain_age);
    if (!age) {
      return bad_option("--retain-age", age.error());
    }
    retention.age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  }
  if (!texts.retain_size.empty()) {
    const auto size = cli::parse_size(texts.retain_size);
    if (!size) {
      return bad_option("--retain-size", size.error());
    }
    retention.bytes = *size;
  }
  return retention;
}

Result<void> check_assessment(const OptionTexts& texts, Options& options) {
  if (texts.assessment != "on" && texts.assessment != "off") {
    return bad_option("--assessment", "on or off");
  }
  options.assessment_patterns = {texts.assess_negative, texts.assess_positive};
  auto patterns = consumers::assessment::Patterns::make(options.assessment_patterns);
  if (!patterns) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "--assess-negative, --assess-positive: " + patterns.error().message());
  }
  if (texts.assessment == "on") {
    options.assessment = *std::move(patterns);
  }
  VIBES_TRY_ASSIGN(backend, check_backend_options(texts.assess_backend));
  options.backend = std::move(backend);
  options.backend_texts = texts.assess_backend;
  return {};
}

Result<void> check_interventions(const OptionTexts& texts, Options& options) {
  if (texts.interventions != "on" && texts.interventions != "off") {
    return bad_option("--interventions", "on or off");
  }
  if (texts.interventions == "on" && !options.assessment) {
    return bad_option("--interventions", "needs --assessment on, which makes them");
  }
  options.interventions =
      texts.interventions == "on" ? Interventions::handed_out : Interventions::recorded;
  return {};
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

std::string address_text(const net::ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

}  // namespace

Result<Options> check_options(const OptionTexts& texts, const Paths& paths) {
  Options options;
  options.paths = paths;
  options.ready_fd = texts.ready_fd;
  options.session_command = texts.session_command;
  VIBES_TRY_ASSIGN(listen, check_listen(texts.listen));
  options.listen = std::move(listen);
  if (texts.unix_path != kNone) {
    options.unix_path =
        texts.unix_path.empty() ? paths.socket() : std::filesystem::path(texts.unix_path);
  }
  if (options.listen.empty() && !options.unix_path) {
    return bad_option("--listen", "nothing to listen on: --listen and --unix are both none");
  }
  options.log_url = texts.log.empty() ? "file:" + paths.log.string() : texts.log;
  auto durability = eventlog::parse_durability_policy(texts.durability);
  if (!durability) {
    return bad_option("--durability", durability.error());
  }
  options.durability = *durability;
  if (texts.auth != "token" && texts.auth != kNone) {
    return bad_option("--auth", "token or none");
  }
  options.auth = texts.auth == kNone ? AuthMode::none : AuthMode::token;
  VIBES_TRY_ASSIGN(threads, check_net_threads(texts.net_threads));
  options.net_threads = threads;
  VIBES_TRY_ASSIGN(retention, check_retention(texts));
  options.retention = retention;
  const auto engine_wait = cli::parse_duration(texts.engine_wait);
  if (!engine_wait) {
    return bad_option("--engine-wait", engine_wait.error());
  }
  options.engine_wait = *engine_wait;
  options.outbox = !texts.no_outbox;
  VIBES_TRY(check_assessment(texts, options));
  VIBES_TRY(check_interventions(texts, options));
  VIBES_TRY_ASSIGN(notify, check_notify_options(texts.notify));
  options.notify = std::move(notify);
  options.notify_texts = texts.notify;
  options.unknown_types =
      texts.strict_types ? event::UnknownTypes::refuse : event::UnknownTypes::pass;
  return options;
}

std::string to_toml(const Options& options) {
  std::vector<std::string> listen;
  listen.reserve(options.listen.size() + 1);
  for (const net::ListenAddress& address : options.listen) {
    listen.push_back(toml_string(address_text(address)));
  }
  if (listen.empty()) {
    listen.push_back(toml_string(kNone));
  }
  std::string out = fmt::format("listen = [{}]\n", fmt::join(listen, ", "));
  const auto line = [&out](std::string_view key, const std::string& value) {
    out += fmt::format("{} = {}\n", key, value);
  };
  const auto list = [&line](std::string_view key, const std::vector<std::string>& values) {
    std::vector<std::string> quoted;
    std::ranges::transform(values, std::back_inserter(quoted), toml_string);
    if (!quoted.empty()) {
      line(key, fmt::format("[{}]", fmt::join(quoted, ", ")));
    }
  };
  line("unix", toml_string(options.unix_path ? options.unix_path->string() : std::string(kNone)));
  line("log", toml_string(options.log_url));
  line("durability", toml_string(eventlog::to_string(options.durability)));
  line("auth", toml_string(options.auth == AuthMode::none ? "none" : "token"));
  line("net-threads", std::to_string(options.net_threads));
  if (options.retention.age) {
    line("retain-age", toml_string(std::to_string(options.retention.age->count()) + "s"));
  }
  if (options.retention.bytes) {
    line("retain-size", toml_string(std::to_string(*options.retention.bytes)));
  }
  line("engine-wait", toml_string(std::to_string(options.engine_wait.count()) + "ms"));
  line("no-outbox", options.outbox ? "false" : "true");
  if (!options.session_command.empty()) {
    line("session-command", toml_string(options.session_command));
  }
  for (const auto& [key, value] : notify_toml(options.notify_texts)) {
    line(key, toml_string(value));
  }
  line("strict-types", options.unknown_types == event::UnknownTypes::refuse ? "true" : "false");
  line("assessment", toml_string(options.assessment ? "on" : "off"));
  line("interventions",
       toml_string(options.interventions == Interventions::handed_out ? "on" : "off"));
  list("assess-negative", options.assessment_patterns.negative);
  list("assess-positive", options.assessment_patterns.positive);
  for (const auto& [key, value] : backend_toml(options.backend_texts)) {
    line(key, toml_string(value));
  }
  return out;
}

Parsed parse_options(int argc, const char* const* argv, cli::Report& report) {
  const auto leave = [&report](const Error& error) {
    report.error(error.context);
    report.hint("see vibes-server --help");
    return Parsed{.options = std::nullopt, .code = cli::ExitCode::usage};
  };
  CLI::App app("The flight recorder for AI coding agents: the daemon.", "vibes-server");
  OptionTexts texts;
  add_options(app, texts);
  app.set_version_flag("--version", "vibes-server " VIBES_VERSION);
  app.footer(kFooter);
  if (const auto done = cli::parse_command_line(app, argc, argv, report)) {
    return {.options = std::nullopt, .code = *done};
  }
  const auto paths = default_paths();
  if (!paths) {
    return leave(paths.error());
  }
  for (const auto& [file, kind] :
       {std::pair(std::filesystem::path(".vibes/config.toml"), ConfigFile::projects),
        std::pair(paths->config, ConfigFile::users)}) {
    if (const Result<void> applied = apply_config(app, file, kind); !applied) {
      return leave(applied.error());
    }
  }
  auto options = check_options(texts, *paths);
  if (!options) {
    return leave(options.error());
  }
  if (texts.print_config) {
    std::cout << to_toml(*options);
    return {};
  }
  if (texts.check_config) {
    return {};
  }
  return {.options = *std::move(options), .code = cli::ExitCode::ok};
}

}  // namespace vibes::server
