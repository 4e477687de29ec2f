// SPDX-License-Identifier: MIT
#include "hooks/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "hooks/errc.hpp"
#include "hooks/hook_names.hpp"
#include "support/catch.hpp"

using namespace vibes::hooks;
using Json = nlohmann::ordered_json;

namespace {

struct Sample {
  std::string name;
  std::string text;
};

std::vector<Sample> samples(const char* folder) {
  std::vector<Sample> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    found.push_back({entry.path().stem(), text.str()});
  }
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.name < b.name; });
  REQUIRE(found.size() >= 10);
  return found;
}

std::vector<std::string> default_hooks() { return *choose_hooks("default"); }

/// What the settings say without our groups, read by somebody else's eyes.
Json without_ours(const std::string& text) {
  Json json = Json::parse(text);
  if (!json.contains("hooks")) {
    return json;
  }
  Json kept = Json::object();
  for (const auto& [hook, groups] : json["hooks"].items()) {
    Json others = Json::array();
    for (const Json& group : groups) {
      if (group.dump().find(R"("args":["hook","--tag","vibes"])") == std::string::npos) {
        others.push_back(group);
      }
    }
    if (!others.empty()) {
      kept[hook] = others;
    }
  }
  json["hooks"] = kept;
  if (kept.empty()) {
    json.erase("hooks");
  }
  return json;
}

bool has_empty_places(const std::string& name) { return name.find("empty") != std::string::npos; }

}  // namespace

TEST_CASE("settings: install adds every hook and changes nothing else", "[hooks][settings]") {
  for (const auto& [name, text] : samples(VIBES_SETTINGS)) {
    INFO(name);
    const auto after = install_hooks(text, default_hooks(), "vibesctl");
    REQUIRE(after);
    CHECK(without_ours(*after) == without_ours(text));
    const auto ours = installed_hooks(*after);
    REQUIRE(ours);
    std::set<std::string> hooks;
    for (const auto& [hook, command] : *ours) {
      hooks.insert(hook);
      CHECK(command == "vibesctl");
    }
    CHECK(hooks.size() == default_hooks().size());
    CHECK(ours->size() == default_hooks().size());
  }
}

TEST_CASE("settings: installing again changes nothing", "[hooks][settings]") {
  for (const auto& [name, text] : samples(VIBES_SETTINGS)) {
    INFO(name);
    const auto once = install_hooks(text, default_hooks(), "vibesctl");
    CHECK(*install_hooks(*once, default_hooks(), "vibesctl") == *once);
  }
}

TEST_CASE("settings: uninstall restores every byte", "[hooks][settings]") {
  for (const auto& [name, text] : samples(VIBES_SETTINGS)) {
    INFO(name);
    const auto after = install_hooks(text, default_hooks(), "/opt/vibes/bin/vibesctl");
    CHECK(*restore_settings(*after, text) == text);
    // Also without a copy of what was, where no list was empty before.
    if (!has_empty_places(name)) {
      CHECK(*uninstall_hooks(*after) == text);
    }
  }
}

TEST_CASE("settings: uninstall restores every byte after installs in steps", "[hooks][settings]") {
  for (const auto& [name, text] : samples(VIBES_SETTINGS)) {
    INFO(name);
    std::string after = text;
    for (const char* hook : {"Stop", "PreToolUse", "Notification"}) {
      after = *install_hooks(after, std::vector<std::string>{hook}, "vibesctl");
    }
    CHECK(*restore_settings(after, text) == text);
  }
}

TEST_CASE("settings: what somebody changed in between is kept", "[hooks][settings]") {
  const std::string before = "{\n  \"model\": \"opus\"\n}\n";
  auto after = *install_hooks(before, default_hooks(), "vibesctl");
  after.replace(after.find("opus"), 4, "sonnet");
  CHECK(*restore_settings(after, before) == "{\n  \"model\": \"sonnet\"\n}\n");
}

TEST_CASE("settings: an entry beside others is taken out alone", "[hooks][settings]") {
  const std::string text =
      R"({"hooks":{"Stop":[{"hooks":[{"type":"command","command":"date"},)"
      R"({"type":"command","command":"vibesctl","args":["hook","--tag","vibes"]}]}]}})";
  CHECK(*uninstall_hooks(text) ==
        R"({"hooks":{"Stop":[{"hooks":[{"type":"command","command":"date"}]}]}})");
}

TEST_CASE("settings: a hook called by hand is not ours", "[hooks][settings]") {
  const std::string text =
      R"({"hooks":{"Stop":[{"hooks":[{"type":"command","command":"vibesctl","args":["hook"]}]}]}})";
  CHECK(installed_hooks(text)->empty());
  CHECK(*uninstall_hooks(text) == text);
}

TEST_CASE("settings: another command takes the place of the one before", "[hooks][settings]") {
  const auto one = *install_hooks("{}", default_hooks(), "vibesctl");
  const auto two = *install_hooks(one, default_hooks(), "/a \"b\"/vibesctl");
  const auto ours = installed_hooks(two);
  for (const auto& installed : *ours) {
    CHECK(installed.command == "/a \"b\"/vibesctl");
  }
  CHECK(*install_hooks(two, default_hooks(), "vibesctl") == one);
}

TEST_CASE("settings: additions are written as what is around them", "[hooks][settings]") {
  const std::vector<std::string> stop{"Stop"};
  CHECK(*install_hooks("{\"a\":1}", stop, "vibesctl") ==
        R"({"a":1,"hooks":{"Stop":[{"hooks":[{"type":"command","command":"vibesctl",)"
        R"("args":["hook","--tag","vibes"],"timeout":10}]}]}})");
  const auto tabs = *install_hooks("{\r\n\t\"a\": 1\r\n}\r\n", stop, "vibesctl");
  CHECK(tabs.starts_with("{\r\n\t\"a\": 1,\r\n\t\"hooks\": {\r\n\t\t\"Stop\": [\r\n\t\t\t{\r\n"));
  CHECK(tabs.ends_with("\r\n\t\t]\r\n\t}\r\n}\r\n"));
}

TEST_CASE("settings: what cannot be edited is refused, with its place", "[hooks][settings]") {
  for (const auto& [name, text] : samples(VIBES_BROKEN_SETTINGS)) {
    INFO(name);
    const auto after = install_hooks(text, default_hooks(), "vibesctl");
    REQUIRE_FALSE(after);
    CHECK(after.error().code == make_error_code(Errc::bad_settings));
    CHECK((after.error().context.starts_with("line ") || name == "deep"));
    CHECK_FALSE(installed_hooks(text));
    CHECK_FALSE(uninstall_hooks(text));
  }
  const auto comment = installed_hooks("{\n  // mine\n}");
  CHECK(comment.error().context.starts_with("line 2, column 3: "));
  CHECK(installed_hooks(std::string_view("{}\n\0", 4)).error().context ==
        "line 2, column 1: a NUL");
  const auto list = installed_hooks("{\n  \"hooks\": {\"Stop\": 1}\n}");
  CHECK(list.error().context == "line 2, column 21: \"Stop\" is not an array");
  CHECK(installed_hooks(std::string(2U << 20U, ' ')).error().code ==
        make_error_code(Errc::settings_too_large));
}

TEST_CASE("hook names: the default has none that costs or breaks", "[hooks]") {
  const auto names = default_hooks();
  CHECK(names.size() == 28);
  for (const char* not_there : {"WorktreeCreate", "WorktreeRemove", "MessageDisplay"}) {
    CHECK(std::find(names.begin(), names.end(), not_there) == names.end());
  }
  CHECK(choose_hooks("all")->size() == 30);
  CHECK(known_hooks().size() == 31);
}

TEST_CASE("hook names: a list is what it says, in its order, once", "[hooks]") {
  CHECK(*choose_hooks("Stop, PreToolUse,Stop") == std::vector<std::string>{"Stop", "PreToolUse"});
  CHECK(*choose_hooks("NotYetKnown") == std::vector<std::string>{"NotYetKnown"});
  for (const char* bad : {"", ",", "Stop,", "stop", "Pre Tool", "WorktreeCreate", "St-op"}) {
    INFO(bad);
    CHECK_FALSE(choose_hooks(bad));
  }
}
