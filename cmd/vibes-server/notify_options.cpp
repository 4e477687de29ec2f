// SPDX-License-Identifier: MIT
#include "notify_options.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/parse.hpp"

namespace vibes::server {
namespace {

constexpr std::size_t kSecretBytesMax = 4'096;

Unexpected bad(std::string_view option, std::string_view why) {
  return fail(std::make_error_code(std::errc::invalid_argument),
              fmt::format("{}: {}", option, why));
}

Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret(kSecretBytesMax + 1, '\0');
  file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  if (!file && !file.eof()) {
    return bad("--notify-webhook-secret-file", "cannot read " + path);
  }
  secret.resize(static_cast<std::size_t>(file.gcount()));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) {
    secret.pop_back();
  }
  if (secret.empty() || secret.size() > kSecretBytesMax) {
    return bad("--notify-webhook-secret-file", path + " is empty or too long for a secret");
  }
  return secret;
}

Result<consumers::TriggersOff> check_off(const std::vector<std::string>& names) {
  consumers::TriggersOff off;
  if (names.size() == 1 && names.front() == "none") {
    return off;
  }
  for (const std::string& name : names) {
    const auto trigger = consumers::parse_trigger(name);
    if (!trigger) {
      return bad("--notify-off", fmt::format("{} is no trigger; these are: {}; or none", name,
                                             fmt::join(consumers::kTriggerNames, ", ")));
    }
    off.set(static_cast<std::size_t>(*trigger));
  }
  return off;
}

Result<void> check_channels(const NotifyTexts& texts, consumers::NotifyOptions& options) {
  if (!texts.ntfy.empty()) {
    auto topic = consumers::parse_ntfy_topic(texts.ntfy);
    if (!topic) {
      return bad("--notify-ntfy", topic.error().context);
    }
    options.ntfy = *std::move(topic);
  }
  if (!texts.webhook.empty()) {
    auto endpoint = consumers::parse_endpoint(texts.webhook);
    if (!endpoint) {
      return bad("--notify-webhook", endpoint.error().context);
    }
    options.webhook = *std::move(endpoint);
  }
  if (!texts.webhook_secret_file.empty()) {
    if (!options.webhook) {
      return bad("--notify-webhook-secret-file", "there is no --notify-webhook to sign for");
    }
    VIBES_TRY_ASSIGN(secret, read_secret(texts.webhook_secret_file));
    options.webhook_secret = std::move(secret);
  }
  options.command = texts.command;
  return {};
}

}  // namespace

void add_notify_options(CLI::App& app, NotifyTexts& texts) {
  app.add_option("--push", texts.push, "on: let browsers subscribe to notifications (Web Push)")
      ->type_name("on|off")
      ->envname("VIBES_PUSH");
  app.add_option("--push-subject", texts.push_subject,
                 "Whom push services may turn to: a mailto: or https: URL")
      ->type_name("URL")
      ->envname("VIBES_PUSH_SUBJECT");
  app.add_option("--notify-ntfy", texts.ntfy, "Send notifications to this topic of ntfy")
      ->type_name("URL")
      ->envname("VIBES_NOTIFY_NTFY");
  app.add_option("--notify-webhook", texts.webhook, "POST notifications as JSON to this URL")
      ->type_name("URL")
      ->envname("VIBES_NOTIFY_WEBHOOK");
  app.add_option("--notify-webhook-secret-file", texts.webhook_secret_file,
                 "Sign what goes to the webhook with the secret in FILE")
      ->type_name("FILE")
      ->envname("VIBES_NOTIFY_WEBHOOK_SECRET_FILE");
  app.add_option("--notify-command", texts.command, "Run this for each notification, with sh -c")
      ->type_name("CMD")
      ->envname("VIBES_NOTIFY_COMMAND");
  app.add_option("--notify-off", texts.off,
                 "Triggers to leave out, or none; default: hook_stop, which fires each turn")
      ->type_name("TRIGGER,...")
      ->envname("VIBES_NOTIFY_OFF")
      ->delimiter(',')
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--stall-after", texts.stall_after,
                 "Call a session stalled that says nothing for so long: 5m")
      ->type_name("D")
      ->envname("VIBES_STALL_AFTER");
}

bool is_notify_option_for_the_user_only(std::string_view name) {
  constexpr std::string_view kUserOnly[] = {"push",
                                            "push-subject",
                                            "notify-ntfy",
                                            "notify-webhook",
                                            "notify-webhook-secret-file",
                                            "notify-command"};
  return std::ranges::find(kUserOnly, name) != std::end(kUserOnly);
}

Result<consumers::NotifyOptions> check_notify_options(const NotifyTexts& texts) {
  consumers::NotifyOptions options;
  if (texts.push != "on" && texts.push != "off") {
    return bad("--push", "on or off");
  }
  if (!texts.push_subject.starts_with("mailto:") && !texts.push_subject.starts_with("https:")) {
    return bad("--push-subject", "a mailto: or https: URL");
  }
  VIBES_TRY(check_channels(texts, options));
  VIBES_TRY_ASSIGN(off, check_off(texts.off));
  options.off = off;
  const auto stall_after = cli::parse_duration(texts.stall_after);
  if (!stall_after || *stall_after <= std::chrono::nanoseconds::zero()) {
    return bad("--stall-after", "a duration such as 5m");
  }
  options.stall_after = std::chrono::ceil<std::chrono::milliseconds>(*stall_after);
  return options;
}

std::vector<std::pair<std::string, std::string>> notify_toml(const NotifyTexts& texts) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"push", texts.push},
      {"push-subject", texts.push_subject},
      {"notify-ntfy", texts.ntfy},
      {"notify-webhook", texts.webhook},
      {"notify-webhook-secret-file", texts.webhook_secret_file},
      {"notify-command", texts.command},
      {"notify-off", fmt::format("{}", fmt::join(texts.off, ","))},
      {"stall-after", texts.stall_after}};
  std::erase_if(lines, [](const auto& line) { return line.second.empty(); });
  return lines;
}

}  // namespace vibes::server
