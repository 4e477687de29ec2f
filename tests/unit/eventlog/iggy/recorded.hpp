// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

/// What real servers answered, recorded.
namespace vibes::test::recorded {

struct Answer {
  std::string_view version;
  std::string_view name;
  int status;
  std::string_view body;
};

// clang-format off
inline constexpr std::array<Answer, 40> kAnswers = {{
    {"0.8", "login", 200, R"json({"user_id":0,"access_token":{"token":"eyJ0eXAi.recorded.token","expiry":1795620815}})json"},
    {"0.8", "wrong_password", 400, R"json({"id":42,"code":"invalid_credentials","reason":"Invalid credentials","field":null})json"},
    {"0.8", "no_token", 401, R"json()json"},
    {"0.8", "expired", 401, R"json()json"},
    {"0.8", "create_stream", 200, R"json({"id":0,"created_at":1795617216223851,"name":"s1","size":"0 B","messages_count":0,"topics_count":0,"topics":[]})json"},
    {"0.8", "duplicate_stream", 400, R"json({"id":1012,"code":"stream_name_already_exists","reason":"Stream with name: s1 already exists.","field":"name"})json"},
    {"0.8", "create_topic", 200, R"json({"id":0,"created_at":1795617216475943,"name":"t1","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617216475958,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}]})json"},
    {"0.8", "missing_topic", 404, R"json({"id":404,"code":"not_found","reason":"Resource not found","field":null})json"},
    {"0.8", "get_topic", 200, R"json({"id":0,"created_at":1795617216475943,"name":"t1","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617216475958,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}]})json"},
    {"0.8", "get_topic_fsync", 200, R"json({"id":2,"created_at":1795617216577333,"name":"tf","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617216577343,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}]})json"},
    {"0.8", "durability_persisted", 200, R"json({"id":1,"created_at":1795617216568895,"name":"td","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617216568908,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}]})json"},
    {"0.8", "create_fsync", 200, R"json({"id":2,"created_at":1795617216577333,"name":"tf","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617216577343,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}]})json"},
    {"0.8", "poll_empty", 200, R"json({"partition_id":0,"current_offset":0,"count":0,"messages":[]})json"},
    {"0.8", "send_3", 201, R"json()json"},
    {"0.8", "too_large", 413, R"json(Failed to buffer the request body: length limit exceeded)json"},
    {"0.8", "poll_beyond", 200, R"json({"partition_id":0,"current_offset":0,"count":0,"messages":[]})json"},
    {"0.8", "poll_one", 200, R"json({"partition_id":0,"current_offset":14,"count":1,"messages":[{"header":{"checksum":2807375803747644874,"id":42,"offset":5,"timestamp":1795617216757354,"origin_timestamp":1795617216757315,"user_headers_length":14,"payload_length":4,"reserved":0},"payload":"aGRyMA==","user_headers":[{"key":{"kind":"string","value":"aDE="},"value":{"kind":"string","value":"djE="}}]}]})json"},
    {"0.8", "poll_first", 200, R"json({"partition_id":0,"current_offset":14,"count":1,"messages":[{"header":{"checksum":1792996108988309233,"id":238549331032520673767400260134667603132,"offset":0,"timestamp":1795617216733773,"origin_timestamp":1795617216733715,"user_headers_length":0,"payload_length":2,"reserved":0},"payload":"bTA=","user_headers":[]}]})json"},
    {"0.8", "poll_missing", 404, R"json({"id":2010,"code":"topic_id_not_found","reason":"Topic with ID: s1 for stream with ID: nope was not found.","field":"topic_id"})json"},
    {"0.8", "topic_after", 200, R"json({"id":0,"created_at":1795617216475943,"name":"t1","size":"2891.029 KB","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"replication_factor":1,"messages_count":15,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617216475958,"segments_count":1,"current_offset":14,"size":"2891.029 KB","messages_count":15}]})json"},
    {"0.9", "login", 200, R"json({"user_id":0,"access_token":{"token":"eyJ0eXAi.recorded.token","expiry":1795621332}})json"},
    {"0.9", "wrong_password", 400, R"json({"id":42,"code":"invalid_credentials","reason":"Invalid credentials","field":null})json"},
    {"0.9", "no_token", 401, R"json({"id":77,"code":"access_token_missing","reason":"Access token is missing","field":null})json"},
    {"0.9", "expired", 401, R"json({"id":40,"code":"unauthenticated","reason":"Unauthenticated","field":null})json"},
    {"0.9", "create_stream", 200, R"json({"id":0,"created_at":1795617733228235,"name":"s1","size":"0 B","messages_count":0,"topics_count":0,"topics":[],"options":{}})json"},
    {"0.9", "duplicate_stream", 400, R"json({"id":1012,"code":"stream_name_already_exists","reason":"Stream with name:  already exists.","field":"name"})json"},
    {"0.9", "create_topic", 200, R"json({"id":0,"created_at":1795617733291450,"name":"t1","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617733291450,"segments_count":0,"current_offset":0,"size":"0 B","messages_count":0}],"options":{"compression_algorithm":{"value":"none","explicit":false},"enforce_fsync":{"value":"false","explicit":false},"max_topic_size":{"value":"18446744073709551615","explicit":false},"message_expiry":{"value":"18446744073709551615","explicit":false},"messages_required_to_save":{"value":"1024","explicit":false},"preallocate_segments":{"value":"false","explicit":false},"segment_size":{"value":"1073741824","explicit":false},"size_of_messages_required_to_save":{"value":"1048576","explicit":false}}})json"},
    {"0.9", "missing_topic", 404, R"json({"id":404,"code":"not_found","reason":"Resource not found","field":null})json"},
    {"0.9", "get_topic", 200, R"json({"id":0,"created_at":1795617733291450,"name":"t1","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617733291450,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}],"options":{"compression_algorithm":{"value":"none","explicit":false},"enforce_fsync":{"value":"false","explicit":false},"max_topic_size":{"value":"18446744073709551615","explicit":false},"message_expiry":{"value":"18446744073709551615","explicit":false},"messages_required_to_save":{"value":"1024","explicit":false},"preallocate_segments":{"value":"false","explicit":false},"segment_size":{"value":"1073741824","explicit":false},"size_of_messages_required_to_save":{"value":"1048576","explicit":false}}})json"},
    {"0.9", "get_topic_fsync", 200, R"json({"id":1,"created_at":1795617733321627,"name":"tf","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617733321627,"segments_count":1,"current_offset":0,"size":"0 B","messages_count":0}],"options":{"compression_algorithm":{"value":"none","explicit":false},"enforce_fsync":{"value":"true","explicit":true},"max_topic_size":{"value":"18446744073709551615","explicit":false},"message_expiry":{"value":"18446744073709551615","explicit":false},"messages_required_to_save":{"value":"1","explicit":true},"preallocate_segments":{"value":"false","explicit":false},"segment_size":{"value":"1073741824","explicit":false},"size_of_messages_required_to_save":{"value":"1048576","explicit":false}}})json"},
    {"0.9", "durability_persisted", 400, R"json({"id":4041,"code":"unsupported_option_key","reason":"Unsupported option key: durability","field":null})json"},
    {"0.9", "create_fsync", 200, R"json({"id":1,"created_at":1795617733321627,"name":"tf","size":"0 B","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"messages_count":0,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617733321627,"segments_count":0,"current_offset":0,"size":"0 B","messages_count":0}],"options":{"compression_algorithm":{"value":"none","explicit":false},"enforce_fsync":{"value":"true","explicit":true},"max_topic_size":{"value":"18446744073709551615","explicit":false},"message_expiry":{"value":"18446744073709551615","explicit":false},"messages_required_to_save":{"value":"1","explicit":true},"preallocate_segments":{"value":"false","explicit":false},"segment_size":{"value":"1073741824","explicit":false},"size_of_messages_required_to_save":{"value":"1048576","explicit":false}}})json"},
    {"0.9", "poll_empty", 200, R"json({"partition_id":0,"current_offset":0,"count":0,"messages":[]})json"},
    {"0.9", "send_3", 201, R"json({"confirmations":[{"stream_id":0,"topic_id":0,"partition_id":0,"base_offset":0}]})json"},
    {"0.9", "too_large", 413, R"json(Failed to buffer the request body: length limit exceeded)json"},
    {"0.9", "poll_beyond", 200, R"json({"partition_id":0,"current_offset":13,"count":0,"messages":[]})json"},
    {"0.9", "poll_one", 200, R"json({"partition_id":0,"current_offset":13,"count":1,"messages":[{"header":{"checksum":15100406146980095695,"id":42,"offset":5,"timestamp":1795617733433106,"origin_timestamp":1795617733433008,"user_headers_length":14,"payload_length":4,"reserved":0},"payload":"aGRyMA==","user_headers":[{"key":{"kind":"string","value":"aDE="},"value":{"kind":"string","value":"djE="}}]}]})json"},
    {"0.9", "poll_first", 200, R"json({"partition_id":0,"current_offset":13,"count":1,"messages":[{"header":{"checksum":8318927459258433731,"id":319085489028123925802046567997361902763,"offset":0,"timestamp":1795617733406685,"origin_timestamp":1795617733406555,"user_headers_length":0,"payload_length":2,"reserved":0},"payload":"bTA=","user_headers":[]}]})json"},
    {"0.9", "poll_missing", 404, R"json({"id":404,"code":"not_found","reason":"Resource not found","field":null})json"},
    {"0.9", "topic_after", 200, R"json({"id":0,"created_at":1795617733291450,"name":"t1","size":"2893.808 KB","message_expiry":18446744073709551615,"compression_algorithm":"none","max_topic_size":18446744073709551615,"messages_count":14,"partitions_count":1,"partitions":[{"id":0,"created_at":1795617733291450,"segments_count":1,"current_offset":13,"size":"2893.808 KB","messages_count":14}],"options":{"compression_algorithm":{"value":"none","explicit":false},"enforce_fsync":{"value":"false","explicit":false},"max_topic_size":{"value":"18446744073709551615","explicit":false},"message_expiry":{"value":"18446744073709551615","explicit":false},"messages_required_to_save":{"value":"1024","explicit":false},"preallocate_segments":{"value":"false","explicit":false},"segment_size":{"value":"1073741824","explicit":false},"size_of_messages_required_to_save":{"value":"1048576","explicit":false}}})json"},
}};
// clang-format on

inline constexpr Answer answer(std::string_view version, std::string_view name) {
  for (const Answer& answer : kAnswers) {
    if (answer.version == version && answer.name == name) {
      return answer;
    }
  }
  return {version, name, 0, {}};
}

}  // namespace vibes::test::recorded
