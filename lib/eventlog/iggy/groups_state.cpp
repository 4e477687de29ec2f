// SPDX-License-Identifier: MIT
#include "eventlog/iggy/groups_state.hpp"

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "eventlog/group_offsets.hpp"

namespace vibes::eventlog::iggy {
namespace {

using nlohmann::json;

constexpr std::size_t kOwnerBytesMax = 1'024;

bool read_groups(const json& groups, GroupsState& state) {
  for (const auto& [name, offset] : groups.items()) {
    if (!is_group_name(name) || !offset.is_number_unsigned()) {
      return false;
    }
    state.offsets.emplace(name, Offset(offset.get<std::uint64_t>()));
  }
  return state.offsets.size() <= limits::kGroupsMax;
}

bool read_holds(const json& holds, GroupsState& state) {
  for (const auto& [name, hold] : holds.items()) {
    const json owner = hold.is_object() ? hold.value("owner", json()) : json();
    const json stamp = hold.is_object() ? hold.value("stamp", json()) : json();
    if (!is_group_name(name) || !owner.is_string() || !stamp.is_number_unsigned() ||
        owner.get_ref<const std::string&>().size() > kOwnerBytesMax) {
      return false;
    }
    state.holds.emplace(name,
                        GroupsState::Hold{owner.get<std::string>(), stamp.get<std::uint64_t>()});
  }
  return state.holds.size() <= limits::kGroupsMax;
}

}  // namespace

std::string encode(const GroupsState& state) {
  json groups = json::object();
  for (const auto& [name, offset] : state.offsets) {
    groups[name] = offset.value();
  }
  json held = json::object();
  for (const auto& [name, hold] : state.holds) {
    held[name] = {{"owner", hold.owner}, {"stamp", hold.stamp}};
  }
  const json message = {{"vibes", 1},
                        {"number", state.number},
                        {"by", state.by},
                        {"groups", std::move(groups)},
                        {"held", std::move(held)}};
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<GroupsState> decode_groups(std::string_view payload) {
  const json message = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object() || message.value("vibes", json()) != 1 ||
      !message.value("number", json()).is_number_unsigned() ||
      !message.value("by", json()).is_string() || !message.value("groups", json()).is_object() ||
      !message.value("held", json()).is_object()) {
    return std::nullopt;
  }
  GroupsState state;
  state.number = message["number"].get<std::uint64_t>();
  state.by = message["by"].get<std::string>();
  if (!read_groups(message["groups"], state) || !read_holds(message["held"], state)) {
    return std::nullopt;
  }
  return state;
}

}  // namespace vibes::eventlog::iggy
