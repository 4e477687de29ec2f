// SPDX-License-Identifier: MIT
#include "eventlog/iggy/wire.hpp"

#include <cstdio>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "event/base64.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::iggy {
namespace {

using nlohmann::json;

constexpr std::size_t kShown = 200;  // bytes of an answer, in an error
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
/// Partition 0 as it is written there: the base64 of its 32 bits.
constexpr std::string_view kPartition = "AAAAAA==";

Unexpected not_iggy(std::string_view what, std::string_view body) {
  return fail(Errc::other_settings,
              fmt::format("no Iggy server answers a {} with '{}'", what, body.substr(0, kShown)));
}

json parse(std::string_view body) { return json::parse(body, nullptr, /*allow_exceptions=*/false); }

std::optional<std::uint64_t> number_in(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_number_unsigned()
             ? std::optional(found->get<std::uint64_t>())
             : std::nullopt;
}

std::string text_in(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

std::string quoted(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// "options":{"NAME":{"value":"VALUE",…}}
std::string option_in(const json& topic, const char* name) {
  const auto options = topic.find("options");
  if (options == topic.end() || !options->is_object() || !options->contains(name)) {
    return {};
  }
  return text_in((*options)[name], "value");
}

/// "2891.029 KB"; units are decimal.
std::uint64_t parse_size(const std::string& text) {
  double number = 0;
  char unit = 'B';
  if (std::sscanf(text.c_str(), "%lf %c", &number, &unit) < 1 || number < 0) {
    return 0;
  }
  constexpr std::string_view kUnits = "BKMGT";
  const auto at = kUnits.find(unit);
  for (std::size_t i = 0; at != std::string_view::npos && i < at; ++i) {
    number *= 1'000;
  }
  constexpr double kMost = 1e18;
  return number < kMost ? static_cast<std::uint64_t>(number) : 0;
}

bool read_header(simdjson::ondemand::object header, PolledMessage& message) {
  bool has_offset = false;
  bool has_time = false;
  for (auto field : header) {
    std::string_view name;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return false;
    }
    auto value = field.value();
    if (name == "offset") {
      has_offset = value.get_uint64().get(message.offset) == simdjson::SUCCESS;
    } else if (name == "origin_timestamp") {
      has_time = value.get_uint64().get(message.origin_timestamp) == simdjson::SUCCESS;
    } else if (name == "id") {
      std::string_view token;
      if (value.raw_json_token().get(token) != simdjson::SUCCESS) {
        return false;
      }
      message.id = token.substr(0, token.find_first_not_of("0123456789"));
    }
  }
  return has_offset && has_time;
}

bool read_message(simdjson::ondemand::object object, PolledMessage& message) {
  simdjson::ondemand::object header;
  std::string_view payload;
  if (object.find_field_unordered("header").get_object().get(header) != simdjson::SUCCESS ||
      !read_header(header, message) ||
      object.find_field_unordered("payload").get_string().get(payload) != simdjson::SUCCESS) {
    return false;
  }
  auto decoded = event::decode_base64(payload);
  if (!decoded) {
    return false;
  }
  message.payload = *std::move(decoded);
  return true;
}

bool read_polled(simdjson::ondemand::document& document, Polled& polled) {
  simdjson::ondemand::array messages;
  if (document["current_offset"].get_uint64().get(polled.current_offset) != simdjson::SUCCESS ||
      document["messages"].get_array().get(messages) != simdjson::SUCCESS) {
    return false;
  }
  for (auto element : messages) {
    simdjson::ondemand::object object;
    PolledMessage message;
    if (element.get_object().get(object) != simdjson::SUCCESS || !read_message(object, message)) {
      return false;
    }
    polled.messages.push_back(std::move(message));
  }
  return true;
}

}  // namespace

ServerError parse_error(std::string_view body) {
  const json answer = parse(body);
  if (!answer.is_object()) {
    return {.id = 0, .reason = std::string(body.substr(0, kShown))};
  }
  return {.id = number_in(answer, "id").value_or(0), .reason = text_in(answer, "reason")};
}

bool is_damage(const ServerError& error) {
  constexpr std::uint64_t kInvalidMessageChecksum = 4'027;
  constexpr std::uint64_t kInvalidBatchChecksum = 4'039;
  constexpr std::uint64_t kInvalidOffset = 4'100;
  return error.id == kInvalidMessageChecksum || error.id == kInvalidBatchChecksum ||
         error.id == kInvalidOffset;
}

Result<Login> parse_login(std::string_view body) {
  const json answer = parse(body);
  const json token =
      answer.is_object() ? answer.value("access_token", json::object()) : json::object();
  Login login{text_in(token, "token"),
              static_cast<std::int64_t>(number_in(token, "expiry").value_or(0))};
  if (login.token.empty()) {
    return not_iggy("login", {});  // whatever it is, it may be a secret
  }
  return login;
}

std::string login_body(std::string_view user, std::string_view password) {
  return fmt::format(R"({{"username":{},"password":{}}})", quoted(user), quoted(password));
}

Result<Topic> parse_topic(std::string_view body) {
  const json answer = parse(body);
  const auto created_at = number_in(answer, "created_at");
  const auto partitions = number_in(answer, "partitions_count");
  if (!created_at || !partitions) {
    return not_iggy("question for a topic", body);
  }
  Topic topic;
  topic.created_at = *created_at;
  topic.partitions = *partitions;
  topic.has_options = answer.contains("options");
  topic.enforce_fsync = option_in(answer, "enforce_fsync");
  topic.messages_required_to_save = option_in(answer, "messages_required_to_save");
  const auto limit = [&answer](const char* name) -> std::optional<std::uint64_t> {
    if (const auto number = number_in(answer, name)) {
      return number;
    }
    const std::string option = option_in(answer, name);
    return option.empty() || option.find_first_not_of("0123456789") != std::string::npos
               ? std::nullopt
               : std::optional<std::uint64_t>(std::strtoull(option.c_str(), nullptr, 10));
  };
  topic.message_expiry = limit("message_expiry");
  topic.max_topic_size = limit("max_topic_size");
  topic.bytes = parse_size(text_in(answer, "size"));
  const auto found = answer.find("partitions");
  if (found != answer.end() && found->is_array() && found->size() == 1) {
    topic.messages = number_in((*found)[0], "messages_count").value_or(0);
    topic.current_offset = number_in((*found)[0], "current_offset").value_or(0);
  }
  return topic;
}

std::string stream_body(std::string_view name) {
  return fmt::format(R"({{"name":{}}})", quoted(name));
}

std::string topic_body(std::string_view name, std::string_view options) {
  return fmt::format(
      R"({{"name":{},"partitions_count":1,"compression_algorithm":"none","message_expiry":{},)"
      R"("max_topic_size":{},"options":{}}})",
      quoted(name), kNever, kNever, options.empty() ? "{}" : options);
}

std::string send_body(std::span<const std::string> encoded_payloads) {
  std::size_t bytes = kSendBytes;
  for (const std::string& payload : encoded_payloads) {
    bytes += payload.size() + kSendMessageBytes;
  }
  std::string body;
  body.reserve(bytes);
  body += R"({"partitioning":{"kind":"partition_id","value":")";
  body += kPartition;
  body += R"("},"messages":[)";
  std::string_view separator;
  for (const std::string& payload : encoded_payloads) {
    body += separator;
    body += R"({"payload":")";
    body += payload;
    body += "\"}";
    separator = ",";
  }
  body += "]}";
  return body;
}

std::optional<std::uint64_t> parse_sent(std::string_view body) {
  const json answer = parse(body);
  const auto found = answer.is_object() ? answer.find("confirmations") : answer.end();
  if (!answer.is_object() || found == answer.end() || !found->is_array() || found->size() != 1) {
    return std::nullopt;
  }
  return number_in((*found)[0], "base_offset");
}

Result<Polled> parse_polled(std::string_view body) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(body);
  simdjson::ondemand::document document;
  Polled polled;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS || !read_polled(document, polled)) {
    return not_iggy("poll", body);
  }
  return polled;
}

}  // namespace vibes::eventlog::iggy
