// SPDX-License-Identifier: MIT
#include "hooks/hook_payload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/codec.hpp"
#include "event/elements.hpp"

namespace vibes::hooks {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

std::string text_member(std::string_view object, std::string_view key) {
  const auto raw = event::raw_member(object, key);
  if (!raw || !raw->starts_with('"')) {
    return {};
  }
  return nlohmann::json::parse(*raw).get<std::string>();
}

/// A member of an object as its two texts; `key` with its quotes.
struct Member {
  std::string_view key;
  std::string_view value;
};

Member split(std::string_view member) {
  std::size_t quote = 1;
  while (member[quote] != '"') {
    quote += member[quote] == '\\' ? 2U : 1U;
  }
  const std::string_view key = member.substr(0, quote + 1);
  const std::size_t colon = member.find(':', key.size());
  return {key, event::trim(member.substr(colon + 1))};
}

/// The longest beginning of at most `bytes` that cuts no character in two.
std::string_view beginning(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  while ((static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    --bytes;
  }
  return text.substr(0, bytes);
}

/// The members of `object`, without its brackets.
std::string shortened_members(std::string_view object) {
  std::string members;
  std::string cut;
  event::Elements elements(object);
  while (const auto element = elements.next()) {
    members += members.empty() ? "" : ",";
    if (element->size() <= limits::kHookMemberBytesKept) {
      event::append_payload(members, *element);
      continue;
    }
    const Member member = split(*element);
    members += fmt::format("{}:", member.key);
    event::append_json_string(members, beginning(member.value, limits::kHookMemberBytesKept));
    cut += fmt::format("{}{}:{}", cut.empty() ? "" : ",", member.key, member.value.size());
  }
  return members + fmt::format(R"(,"vibes_shortened":{{{}}})", cut);
}

/// The same of an object that is kept as it is.
std::string whole_members(std::string_view object) {
  std::string text;
  event::append_payload(text, object.substr(1, object.size() - 2));
  return text;
}

}  // namespace

std::string snake_case(std::string_view name) {
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts_word = is_upper(name[i]) && i > 0 && !is_upper(name[i - 1]);
    snake += starts_word && name[i - 1] != '_' ? "_" : "";
    snake += event::ascii_lower(name[i]);
  }
  return snake;
}

PayloadFacts facts_of(std::string_view object) {
  PayloadFacts facts{.type = text_member(object, "type"),
                     .session = text_member(object, "session_id"),
                     .agent = text_member(object, "agent_id"),
                     .tool_use = text_member(object, "tool_use_id")};
  if (facts.type.empty()) {
    facts.type = snake_case(text_member(object, "hook_event_name"));
  }
  if (facts.type.empty()) {
    facts.type = "unknown";
  }
  return facts;
}

std::string inner_event(std::string_view object, std::string_view type, std::size_t bytes_max) {
  std::string inner = "{";
  const bool has_members = event::Elements(object).next().has_value();
  if (!event::raw_member(object, "type")) {
    inner += R"("type":)";
    event::append_json_string(inner, type);
    inner += has_members ? "," : "";
  }
  inner += object.size() > bytes_max ? shortened_members(object) : whole_members(object);
  return inner + '}';
}

}  // namespace vibes::hooks
