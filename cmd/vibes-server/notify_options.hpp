// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "consumers/notifications/notifier.hpp"

namespace CLI {
class App;
}

namespace vibes::server {

/// What is said about notifications, as text.
struct NotifyTexts {
  std::string push = "off";
  std::string push_subject = "mailto:vibes@localhost";
  std::string ntfy;
  std::string webhook;
  std::string webhook_secret_file;
  std::string command;
  std::vector<std::string> off = {"hook_stop"};
  std::string stall_after = "5m";
};

void add_notify_options(CLI::App& app, NotifyTexts& texts);

/// Whether a key decides where events are sent or what is run: a project's file may not say that.
bool is_notify_option_for_the_user_only(std::string_view name);

/// Checks the texts and reads the secret. Errors: std::errc::invalid_argument, naming the option.
Result<consumers::NotifyOptions> check_notify_options(const NotifyTexts& texts);

/// The same texts as lines of config.toml, those that are not as they are without being told.
std::vector<std::pair<std::string, std::string>> notify_toml(const NotifyTexts& texts);

}  // namespace vibes::server
