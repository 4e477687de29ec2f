// SPDX-License-Identifier: MIT
#include "hooks/settings.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "hooks/errc.hpp"
#include "hooks/json_edit.hpp"

namespace vibes::hooks {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kTimeoutSeconds = 10;

Json our_group(std::string_view command) {
  const Json entry = {{"type", "command"},
                      {"command", command},
                      {"args", Json::array({"hook", "--tag", "vibes"})},
                      {"timeout", kTimeoutSeconds}};
  return {{"hooks", Json::array({entry})}};
}

bool is_ours(const Json& entry) {
  if (!entry.is_object() || !entry.contains("args") || !entry.contains("command")) {
    return false;
  }
  static const Json kArguments = Json::array({"hook", "--tag", "vibes"});
  return entry["args"] == kArguments && entry["command"].is_string();
}

Unexpected unknown_form(std::string_view text, std::size_t at, const std::string& what) {
  return fail(make_error_code(Errc::bad_settings), place_of(text, at) + ": " + what);
}

/// One of our entries and the lists around it.
struct Place {
  std::string hook;
  Span groups;
  std::size_t group = 0;  // index in `groups`
  Span entries;
  std::size_t entry = 0;  // index in `entries`
  Span command;
};

/// The settings, taken apart as far as they concern hooks.
class Settings {
 public:
  static Result<Settings> read(std::string_view text) {
    if (text.size() > limits::kSettingsBytesMax) {
      return fail(make_error_code(Errc::settings_too_large),
                  std::to_string(text.size()) + " bytes");
    }
    VIBES_TRY(check_json(text));
    Settings settings;
    settings.root_ = root_of(text);
    if (text[settings.root_.begin] != '{') {
      return unknown_form(text, settings.root_.begin, "settings are an object");
    }
    VIBES_TRY(settings.find_hooks(text));
    return settings;
  }

  [[nodiscard]] Span root() const { return root_; }
  /// The value of "hooks".
  [[nodiscard]] const std::optional<Part>& hooks() const { return hooks_; }
  /// The lists of groups in it.
  [[nodiscard]] const std::vector<Part>& lists() const { return lists_; }
  [[nodiscard]] const std::vector<Place>& ours() const { return ours_; }

 private:
  Result<void> find_hooks(std::string_view text) {
    for (Part& member : parts_of(text, root_)) {
      if (member.key != "hooks") {
        continue;
      }
      if (hooks_) {
        return unknown_form(text, member.whole.begin, "\"hooks\" is there twice");
      }
      if (text[member.value.begin] != '{') {
        return unknown_form(text, member.value.begin, "\"hooks\" is not an object");
      }
      hooks_ = std::move(member);
    }
    return hooks_ ? find_lists(text) : Result<void>();
  }

  Result<void> find_lists(std::string_view text) {
    lists_ = parts_of(text, hooks_->value);
    for (const Part& list : lists_) {
      const auto same = [&](const Part& other) { return other.key == list.key; };
      if (std::count_if(lists_.begin(), lists_.end(), same) > 1) {
        return unknown_form(text, list.whole.begin, "\"" + list.key + "\" is there twice");
      }
      if (text[list.value.begin] != '[') {
        return unknown_form(text, list.value.begin, "\"" + list.key + "\" is not an array");
      }
      find_ours(text, list);
    }
    return {};
  }

  void find_ours(std::string_view text, const Part& list) {
    const auto groups = parts_of(text, list.value);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (text[groups[g].value.begin] != '{') {
        continue;
      }
      for (const Part& member : parts_of(text, groups[g].value)) {
        if (member.key == "hooks" && text[member.value.begin] == '[') {
          find_entries(text, {list.key, list.value, g, member.value, 0, {}});
        }
      }
    }
  }

  void find_entries(std::string_view text, Place place) {
    const auto entries = parts_of(text, place.entries);
    for (place.entry = 0; place.entry < entries.size(); ++place.entry) {
      const Span entry = entries[place.entry].value;
      if (!is_ours(Json::parse(entry.of(text), nullptr, false))) {
        continue;
      }
      for (const Part& member : parts_of(text, entry)) {
        place.command = member.key == "command" ? member.value : place.command;
      }
      ours_.push_back(place);
    }
  }

  Span root_;
  std::optional<Part> hooks_;
  std::vector<Part> lists_;
  std::vector<Place> ours_;
};

const Part* find_part(const std::vector<Part>& parts, std::string_view key) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const Part& part) { return part.key == key; });
  return found == parts.end() ? nullptr : &*found;
}

std::size_t index_of(std::string_view text, Span container, std::string_view key) {
  const auto parts = parts_of(text, container);
  return static_cast<std::size_t>(find_part(parts, key) - parts.data());
}

Result<std::string> install_one(const std::string& text, const std::string& hook,
                                std::string_view command) {
  VIBES_TRY_ASSIGN(settings, Settings::read(text));
  if (!settings.hooks()) {
    const Json hooks = {{hook, Json::array({our_group(command)})}};
    return add_part(text, settings.root(), "hooks", hooks);
  }
  const Part* list = find_part(settings.lists(), hook);
  if (list == nullptr) {
    return add_part(text, settings.hooks()->value, hook, Json::array({our_group(command)}));
  }
  const auto& ours = settings.ours();
  const auto place =
      std::find_if(ours.begin(), ours.end(), [&](const Place& p) { return p.hook == hook; });
  if (place == ours.end()) {
    return add_part(text, list->value, {}, our_group(command));
  }
  const std::string wanted = Json(command).dump();
  return place->command.of(text) == wanted ? text : replace(text, place->command, wanted);
}

/// Without one of our entries, and without the lists that hold nothing else.
std::string remove(std::string_view text, const Settings& settings, const Place& place) {
  if (parts_of(text, place.entries).size() > 1) {
    return remove_part(text, place.entries, place.entry);
  }
  if (parts_of(text, place.groups).size() > 1) {
    return remove_part(text, place.groups, place.group);
  }
  const Span hooks = settings.hooks()->value;
  if (settings.lists().size() > 1) {
    return remove_part(text, hooks, index_of(text, hooks, place.hook));
  }
  return remove_part(text, settings.root(), index_of(text, settings.root(), "hooks"));
}

/// What the settings say, without lists of hooks that are empty.
Json meaning_of(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("hooks") || !json["hooks"].is_object()) {
    return json;
  }
  Json kept = Json::object();
  for (const auto& [hook, groups] : json["hooks"].items()) {
    if (!groups.is_array() || !groups.empty()) {
      kept[hook] = groups;
    }
  }
  if (kept.empty()) {
    json.erase("hooks");
  } else {
    json["hooks"] = kept;
  }
  return json;
}

}  // namespace

Result<std::vector<Installed>> installed_hooks(std::string_view settings) {
  VIBES_TRY_ASSIGN(read, Settings::read(settings));
  std::vector<Installed> installed;
  for (const Place& place : read.ours()) {
    const Json command = Json::parse(place.command.of(settings), nullptr, false);
    installed.push_back({place.hook, command.get<std::string>()});
  }
  return installed;
}

Result<std::string> install_hooks(std::string_view settings, std::span<const std::string> hooks,
                                  std::string_view command) {
  std::string text(settings);
  for (const std::string& hook : hooks) {
    VIBES_TRY_ASSIGN(more, install_one(text, hook, command));
    text = std::move(more);
  }
  return text;
}

Result<std::string> uninstall_hooks(std::string_view settings) {
  std::string text(settings);
  for (;;) {
    VIBES_TRY_ASSIGN(read, Settings::read(text));
    if (read.ours().empty()) {
      return text;
    }
    // The last one first: what is before it stays where it is.
    text = remove(text, read, read.ours().back());
  }
}

Result<std::string> restore_settings(std::string_view settings, std::string_view before) {
  VIBES_TRY_ASSIGN(without, uninstall_hooks(settings));
  if (check_json(before) && meaning_of(without) == meaning_of(before)) {
    return std::string(before);
  }
  return without;
}

}  // namespace vibes::hooks
