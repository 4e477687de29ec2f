// SPDX-License-Identifier: MIT
#include "net/consumers_handler.hpp"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "consumers/errc.hpp"
#include "net/firehose_query.hpp"
#include "net/health_handler.hpp"
#include "net/read_query.hpp"

namespace vibes::net {

namespace {

Response group_error(const Error& error) {
  if (error.code == eventlog::Errc::not_found) {
    return error_response(404, "not_found", "no such group");
  }
  if (error.code == eventlog::Errc::bad_group_name) {
    return error_response(400, "bad_group_name", error.message());
  }
  if (error.code == eventlog::Errc::too_many_groups) {
    return error_response(429, "too_many_groups", error.message());
  }
  if (error.code == consumers::Errc::group_busy || error.code == eventlog::Errc::group_held) {
    return error_response(409, "group_busy", error.message());
  }
  if (error.code == consumers::Errc::live_group) {
    return error_response(409, "live_group", error.message());
  }
  return read_error(error);
}

Response group_response(const Result<consumers::GroupStatus>& status) {
  if (!status) {
    return group_error(status.error());
  }
  Response response;
  append_group(response.body, *status);
  return response;
}

/// The member `position` of {"position":"…"}.
std::optional<std::string> read_position(std::string_view body) {
  // Deeper than this is no position; the parser itself does not recurse.
  constexpr int kDepthMax = 2;
  const auto shallow = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    return depth <= kDepthMax;
  };
  const nlohmann::json parsed = nlohmann::json::parse(body, shallow, false);
  if (!parsed.is_object() || !parsed.contains("position")) {
    return std::nullopt;
  }
  const nlohmann::json& position = parsed["position"];
  if (position.is_string()) {
    return position.get<std::string>();
  }
  return position.is_number_integer() ? std::optional(position.dump()) : std::nullopt;
}

}  // namespace

Response list_groups(const Services& services) {
  Response response;
  response.body = R"({"consumers":[)";
  bool first = true;
  for (const consumers::GroupStatus& group : services.groups.list()) {
    response.body += std::exchange(first, false) ? "" : ",";
    append_group(response.body, group);
  }
  response.body += "]}";
  return response;
}

Response find_group(const Services& services, std::string_view group) {
  return group_response(services.groups.find(group));
}

Response group_dead_letters(const Services& services, std::string_view group) {
  auto lines = services.groups.dead_letters(group);
  if (!lines) {
    return group_error(lines.error());
  }
  return {.status = 200, .body = *std::move(lines), .content_type = "application/x-ndjson"};
}

Response seek_group(Services& services, std::string_view group, std::string_view body) {
  const auto position = read_position(body);
  if (!position) {
    return error_response(400, "bad_request", R"(send {"position":"…"})");
  }
  const auto offset = resolve_position(*position, services.log);
  if (!offset) {
    return read_error(offset.error());
  }
  return group_response(services.groups.seek(group, *offset));
}

Response reset_group(Services& services, std::string_view group) {
  return group_response(services.groups.reset(group));
}

Response remove_group(Services& services, std::string_view group) {
  const Result<void> removed = services.groups.remove(group);
  if (!removed) {
    return group_error(removed.error());
  }
  return {.status = 204};
}

}  // namespace vibes::net
