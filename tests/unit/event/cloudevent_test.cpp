// SPDX-License-Identifier: MIT
#include "event/cloudevent.hpp"

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::event;
using nlohmann::json;

namespace {

const Uuid kLog = *parse_uuid("11111111-8694-439b-aea5-966c26f8ad91");
const Uuid kId = *parse_uuid("0190163d-8694-739b-aea5-966c26f8ad91");

std::string cloudevent(std::string_view session) {
  std::string out;
  append_cloudevent(out,
                    {Offset(42), kId, Timestamp{1'709'164'799'000'001}, "user_input", session,
                     R"({"type":"user_input","session_id":"s","content":"1.0"})"},
                    kLog);
  return out;
}

std::error_code refusal(std::string_view text, const CheckOptions& options = {}) {
  const auto checked = check_cloudevent(text, options);
  INFO(text);
  REQUIRE_FALSE(checked);
  return checked.error().code;
}

}  // namespace

TEST_CASE("cloudevent: an event as CloudEvents 1.0", "[event]") {
  CHECK(json::parse(cloudevent("s")) ==
        json{{"specversion", "1.0"},
             {"id", to_string(kId)},
             {"source", "urn:vibes:" + to_string(kLog)},
             {"type", "dev.vibes.user_input"},
             {"subject", "s"},
             {"time", "2024-02-28T23:59:59.000001Z"},
             {"sequence", "00000000000000000042"},
             {"datacontenttype", "application/json"},
             {"data", {{"type", "user_input"}, {"session_id", "s"}, {"content", "1.0"}}}});
  CHECK_FALSE(json::parse(cloudevent("")).contains("subject"));
}

TEST_CASE("cloudevent: there and back is the same event with the same id", "[event]") {
  const auto back = check_cloudevent(cloudevent("s"));
  REQUIRE(back);
  CHECK(back->payload == R"({"type":"user_input","session_id":"s","content":"1.0"})");
  CHECK(back->type == "user_input");
  CHECK(back->session == "s");
  CHECK(back->event_id == kId);
}

TEST_CASE("cloudevent: one of somebody else is kept whole, under its own type", "[event]") {
  const std::string text =
      R"({"specversion":"1.0","id":"A-1","source":"/ci","type":"com.ci.done","ext":1,"data":[1]})";
  const auto event = check_cloudevent(text);
  REQUIRE(event);
  CHECK(event->payload == text);
  CHECK(event->type == "com.ci.done");
  CHECK(event->event_id == name_uuid(kUrlNamespace, "3:/ciA-1"));
  CHECK((event->event_id->bytes[6] >> 4U) == 5);
  CHECK(check_cloudevent(text)->event_id == event->event_id);
  const auto other =
      check_cloudevent(R"({"specversion":"1.0","id":"A-1","source":"/ci2","type":"com.ci.done"})");
  CHECK(other->event_id != event->event_id);
}

TEST_CASE("cloudevent: what is none is refused", "[event]") {
  CHECK(refusal("{") == Errc::not_json);
  CHECK(refusal(R"({"specversion":"1.0","id":"1","source":"s"})") == Errc::bad_type);
  CHECK(refusal(R"({"id":"1","source":"s","type":"t"})") == Errc::bad_field);
  CHECK(refusal(R"({"specversion":"0.3","id":"1","source":"s","type":"t"})") == Errc::bad_field);
  CHECK(refusal(R"({"specversion":"1.0","id":"","source":"s","type":"t"})") == Errc::bad_field);
  CHECK(refusal(R"({"specversion":"1.0","id":1,"source":"s","type":"t"})") == Errc::bad_field);
  CHECK(refusal(R"({"specversion":"1.0","id":"1","type":"t"})") == Errc::bad_field);
}

TEST_CASE("cloudevent: the data of one of ours is checked as an event", "[event]") {
  const auto ours = [](const char* data) {
    return std::string(R"({"specversion":"1.0","id":"1","source":"s","type":"dev.vibes.x")") +
           data + "}";
  };
  CHECK(refusal(ours("")) == Errc::bad_field);
  CHECK(refusal(ours(R"(,"data":"text")")) == Errc::not_an_object);
  CHECK(refusal(ours(R"(,"data":{"type":"client_connected"})")) == Errc::bad_field);
  CHECK(refusal(ours(R"(,"data":{"type":"a","type":"b"})")) == Errc::duplicate_key);
  CHECK(
      refusal(ours(R"(,"data":{"type":"a","event_id":"0190163d-8694-739b-aea5-966c26f8ad91"})")) ==
      Errc::bad_event_id);
  CHECK(refusal(ours(R"(,"data":{"type":"mine"})"), {UnknownTypes::refuse}) == Errc::unknown_type);
  CHECK(check_cloudevent(ours(R"(,"data":{"type":"a"})")));
}

TEST_CASE("cloudevent: whatever is an event comes back from its CloudEvent", "[event]") {
  const std::string type(limits::kTypeBytesMax, 't');
  const std::string deep =
      R"({"type":"x","a":)" + std::string(63, '[') + "1" + std::string(63, ']') + "}";
  std::string large = R"({"type":"x","a":")";
  large += std::string(limits::kEventBytesMax - large.size() - 2, 'y') + "\"}";
  for (const std::string& payload : {R"({"type":")" + type + "\"}", deep, large}) {
    const auto event = check(payload);
    REQUIRE(event);
    std::string out;
    append_cloudevent(out, {Offset(0), kId, {}, event->type, event->session, event->payload}, kLog);
    const auto back = check_cloudevent(out);
    REQUIRE(back);
    CHECK((back->payload == payload));
  }
  const std::string foreign = R"({"specversion":"1.0","id":"1","source":"s","type":")" + type;
  CHECK(check_cloudevent(foreign + "\"}"));
  CHECK(refusal(foreign + "t\"}") == Errc::bad_type);
}

TEST_CASE("cloudevent: a key that is not followed by its value is refused", "[event]") {
  for (const char* text :
       {"{\"data\"}", "{\"data\" \"x\":1}", "{\"data\":}", "[\"data\"]", "\"data\"",
        R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":})"}) {
    (void)refusal(text);
  }
  CHECK(
      refusal(
          R"({"specversion":"1.0","id":"1","source":"s","type":"dev.vibes.t","data":{"type":"t"},"data":1})") ==
      Errc::duplicate_key);
}

TEST_CASE("cloudevent: a batch is an array, all or nothing", "[event]") {
  const std::string one = cloudevent("s");
  CHECK(check_cloudevents("[" + one + "," + one + "]").events.size() == 2);
  const auto bad = check_cloudevents("[" + one + ",{}]");
  REQUIRE(bad.refused);
  CHECK(bad.refused->line == 2);
  CHECK(bad.events.empty());
  CHECK(check_cloudevents(one).refused);
  CHECK(check_cloudevents("[]").refused->error.code == Errc::empty_batch);
}

TEST_CASE("cloudevent: attributes are found in any order and by any spelling of their values",
          "[event]") {
  const std::string data = R"({"type":"x","id":"no","a":["}",{"source":"no\\"},"\"{"]})";
  const std::string id = to_string(kId);
  for (const std::string& text :
       {R"({"data":)" + data + R"(,"id":")" + id +
            R"(","type":"dev.vibes.x","source":"s","specversion":"1.0"})",
        R"({ "specversion" : "1\u002e0" , "id" : ")" + id +
            R"(" , "source":"\"s,\\","type":"dev.vibes.x" , "data" : )" + data + "\n}"}) {
    const auto event = check_cloudevent(text);
    INFO(text);
    REQUIRE(event);
    CHECK(event->payload == data);
    CHECK(event->event_id == kId);
  }
  const auto foreign = check_cloudevent(
      R"({"specversion":"1.0","id":"A\u002d1","source":"/c\u0069","type":"com.ci.done"})");
  REQUIRE(foreign);
  CHECK(foreign->event_id == name_uuid(kUrlNamespace, "3:/ciA-1"));
}
