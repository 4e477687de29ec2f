// SPDX-License-Identifier: MIT
#include "eventlog/iggy/wire.hpp"

#include "event/base64.hpp"
#include "eventlog/errc.hpp"
#include "support/catch.hpp"
#include "unit/eventlog/iggy/recorded.hpp"

namespace vibes::test {
namespace {

using namespace eventlog::iggy;

std::string_view body(std::string_view version, std::string_view name) {
  const recorded::Answer answer = recorded::answer(version, name);
  REQUIRE(answer.status != 0);
  return answer.body;
}

constexpr std::string_view k08 = "0.8";
constexpr std::string_view k09 = "0.9";

}  // namespace

TEST_CASE("iggy wire: ids of messages are larger than any number of a JSON reader", "[iggy]") {
  // Recorded: "id":238549331032520673767400260134667603132.
  const auto polled = parse_polled(body(k08, "poll_first"));
  REQUIRE(polled);
  CHECK(polled->current_offset == 14);
  REQUIRE(polled->messages.size() == 1);
  const PolledMessage& message = polled->messages[0];
  CHECK(message.offset == 0);
  CHECK(message.id == "238549331032520673767400260134667603132");
  CHECK(message.origin_timestamp == 1'795'617'216'733'715);
  CHECK(message.payload == "m0");
  const auto later = parse_polled(body(k09, "poll_first"));
  REQUIRE(later);
  CHECK(later->messages.at(0).id == "319085489028123925802046567997361902763");
  const auto small = parse_polled(body(k09, "poll_one"));
  REQUIRE(small);
  CHECK(small->messages.at(0).id == "42");
  CHECK(small->messages.at(0).offset == 5);
  CHECK(small->messages.at(0).payload == "hdr0");
}

TEST_CASE("iggy wire: polls that find nothing", "[iggy]") {
  for (const auto version : {k08, k09}) {
    const auto empty = parse_polled(body(version, "poll_empty"));
    REQUIRE(empty);
    CHECK(empty->messages.empty());
  }
  CHECK(parse_polled(body(k08, "poll_beyond"))->current_offset == 0);
  CHECK(parse_polled(body(k09, "poll_beyond"))->current_offset == 13);
}

TEST_CASE("iggy wire: topics as the versions tell them", "[iggy]") {
  const auto empty = parse_topic(body(k08, "get_topic"));
  REQUIRE(empty);
  CHECK(empty->created_at == 1'795'617'216'475'943);
  CHECK(empty->partitions == 1);
  CHECK(empty->message_expiry == 18'446'744'073'709'551'615U);
  CHECK(empty->max_topic_size == 18'446'744'073'709'551'615U);
  CHECK(empty->end() == 0);
  CHECK_FALSE(empty->has_options);
  CHECK_FALSE(empty->syncs_each());
  const auto full = parse_topic(body(k08, "topic_after"));
  REQUIRE(full);
  CHECK(full->end() == 15);
  CHECK(full->bytes == 2'891'029);
  // 0.8 takes any option and does nothing of it.
  CHECK_FALSE(parse_topic(body(k08, "create_fsync"))->syncs_each());
  CHECK(parse_topic(body(k09, "create_fsync"))->syncs_each());
  CHECK(parse_topic(body(k09, "get_topic_fsync"))->syncs_each());
  const auto plain = parse_topic(body(k09, "topic_after"));
  REQUIRE(plain);
  CHECK(plain->has_options);
  CHECK_FALSE(plain->syncs_each());
  CHECK(plain->end() == 14);
}

TEST_CASE("iggy wire: a topic with one message does not end where an empty one does", "[iggy]") {
  Topic topic;
  CHECK(topic.end() == 0);
  topic.messages = 1;
  CHECK(topic.end() == 1);
  topic = {};
  topic.current_offset = 9;  // and all of them deleted
  CHECK(topic.end() == 10);
}

TEST_CASE("iggy wire: later topics say everything in options", "[iggy]") {
  const auto topic = parse_topic(
      R"({"created_at":7,"partitions_count":1,"partitions":[{"messages_count":3,"current_offset":2}],)"
      R"("options":{"message_expiry":{"value":"1000"},"max_topic_size":{"value":"unlimited"}}})");
  REQUIRE(topic);
  CHECK(topic->message_expiry == 1'000U);
  CHECK_FALSE(topic->max_topic_size);
  CHECK(topic->end() == 3);
}

TEST_CASE("iggy wire: errors with a number, in plain text and without a word", "[iggy]") {
  CHECK(parse_error(body(k08, "wrong_password")).id == kInvalidCredentials);
  CHECK(parse_error(body(k09, "duplicate_stream")).id == kStreamExists);
  CHECK(parse_error(body(k09, "durability_persisted")).id == 4'041);
  CHECK(parse_error(body(k08, "no_token")).id == 0);
  CHECK(parse_error(body(k08, "no_token")).reason.empty());
  CHECK(parse_error(body(k08, "too_large")).reason.find("length limit") != std::string::npos);
}

TEST_CASE("iggy wire: where a send came to lie, if the version says so", "[iggy]") {
  CHECK(parse_sent(body(k09, "send_3")) == 0U);
  CHECK_FALSE(parse_sent(body(k08, "send_3")));
}

TEST_CASE("iggy wire: logins", "[iggy]") {
  const auto login = parse_login(body(k08, "login"));
  REQUIRE(login);
  CHECK(login->token.starts_with("eyJ0"));
  CHECK(login->expires_unix_s == 1'795'620'815);
  CHECK(login_body("a\"b", "c\\d") == R"({"username":"a\"b","password":"c\\d"})");
}

TEST_CASE("iggy wire: what no Iggy server says is an error", "[iggy]") {
  for (const std::string_view text : {"", "<html>", "[]", "{}", "null", "{\"messages\":[]}"}) {
    CHECK(parse_polled(text).error().code == eventlog::Errc::other_settings);
    CHECK(parse_topic(text).error().code == eventlog::Errc::other_settings);
    CHECK(parse_login(text).error().code == eventlog::Errc::other_settings);
    CHECK_FALSE(parse_sent(text));
  }
  CHECK_FALSE(parse_polled(R"({"current_offset":0,"messages":[{"payload":"bTA="}]})"));
  CHECK_FALSE(parse_polled(
      R"({"current_offset":0,"messages":[{"header":{"offset":1,"origin_timestamp":1},"payload":"!"}]})"));
}

TEST_CASE("iggy wire: bodies that servers took", "[iggy]") {
  const std::array<std::string, 2> payloads = {event::encode_base64("m0"),
                                               event::encode_base64("m1")};
  const std::string text = send_body(payloads);
  CHECK(text == R"({"partitioning":{"kind":"partition_id","value":"AAAAAA=="},)"
                R"("messages":[{"payload":"bTA="},{"payload":"bTE="}]})");
  CHECK(text.size() <= kSendBytes + 2 * (4 + kSendMessageBytes));
  CHECK(
      topic_body("t", "") ==
      R"({"name":"t","partitions_count":1,"compression_algorithm":"none",)"
      R"("message_expiry":18446744073709551615,"max_topic_size":18446744073709551615,"options":{}})");
}

}  // namespace vibes::test
