// SPDX-License-Identifier: MIT
#include "net/firehose_message.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace vibes::net {
namespace {

using nlohmann::json;

BadMessage bad_message(std::string message) { return {"bad_message", std::move(message)}; }

/// The member, or nullptr where it is missing or null: the two mean the same everywhere.
const json* member(const json& message, const char* name) {
  const auto found = message.find(name);
  return found == message.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::uint64_t> whole_number(const json* value) {
  if (value == nullptr || !value->is_number_unsigned()) {
    return std::nullopt;
  }
  return value->get<std::uint64_t>();
}

FirehoseMessage parse_set_filters(const json& message) {
  std::vector<std::string> types;
  if (const json* const given = member(message, "types")) {
    if (!given->is_array()) {
      return bad_message("set_filters: types is an array of strings or null");
    }
    for (const json& type : *given) {
      if (!type.is_string()) {
        return bad_message("set_filters: types is an array of strings or null");
      }
      types.push_back(type.get<std::string>());
    }
  }
  std::optional<std::string> session;
  if (const json* const given = member(message, "session")) {
    if (!given->is_string()) {
      return bad_message("set_filters: session is a string or null");
    }
    session = given->get<std::string>();
  }
  const json* const tree = member(message, "tree");
  if (tree != nullptr && !tree->is_boolean()) {
    return bad_message("set_filters: tree is true, false or null");
  }
  auto filter = event::Filter::make(types, std::move(session));
  if (!filter) {
    return BadMessage{"bad_filter", filter.error().message()};
  }
  const bool whole_tree = tree != nullptr && tree->get<bool>();
  return SetFilters{*std::move(filter), whole_tree ? event::Reach::tree : event::Reach::session};
}

FirehoseMessage parse_fetch_older(const json& message) {
  FetchOlder page;
  if (const json* const id = member(message, "before_event_id")) {
    page.before = id->is_string() ? parse_uuid(id->get_ref<const std::string&>()) : std::nullopt;
    if (!page.before) {
      return bad_message("fetch_older: before_event_id is a UUID or null");
    }
  }
  if (const json* const limit = member(message, "limit")) {
    const auto count = whole_number(limit);
    if (!count || *count == 0) {
      return bad_message("fetch_older: limit is a whole number from 1 to " +
                         std::to_string(limits::kPageEventsMax));
    }
    page.limit = static_cast<std::size_t>(std::min<std::uint64_t>(*count, limits::kPageEventsMax));
  }
  return page;
}

FirehoseMessage parse_commit(const json& message) {
  const auto offset = whole_number(member(message, "offset"));
  if (!offset) {
    return bad_message("commit: offset is a whole number");
  }
  return CommitGroup{Offset(*offset)};
}

FirehoseMessage parse_reject(const json& message) {
  const auto offset = whole_number(member(message, "offset"));
  if (!offset) {
    return bad_message("reject: offset is a whole number");
  }
  RejectEvent reject{Offset(*offset), {}, 1};
  if (const json* const reason = member(message, "reason")) {
    if (!reason->is_string()) {
      return bad_message("reject: reason is a string");
    }
    reject.reason = reason->get<std::string>();
  }
  if (const json* const attempts = member(message, "attempts")) {
    const auto count = whole_number(attempts);
    if (!count || *count > limits::kRejectAttemptsMax) {
      return bad_message("reject: attempts is a whole number up to " +
                         std::to_string(limits::kRejectAttemptsMax));
    }
    reject.attempts = static_cast<unsigned>(*count);
  }
  return reject;
}

}  // namespace

FirehoseMessage parse_firehose_message(std::string_view text) {
  const json message = json::parse(text, nullptr, false);
  if (!message.is_object()) {
    return bad_message("a message is a JSON object");
  }
  const json* const type = member(message, "type");
  if (type == nullptr || !type->is_string()) {
    return bad_message("a message has a string \"type\"");
  }
  const auto& name = type->get_ref<const std::string&>();
  if (name == "set_filters") {
    return parse_set_filters(message);
  }
  if (name == "fetch_older") {
    return parse_fetch_older(message);
  }
  if (name == "commit") {
    return parse_commit(message);
  }
  if (name == "reject") {
    return parse_reject(message);
  }
  if (name == "working") {
    return Working{};
  }
  return bad_message("unknown type; one of set_filters, fetch_older, commit, reject, working");
}

}  // namespace vibes::net
