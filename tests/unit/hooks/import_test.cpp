// SPDX-License-Identifier: MIT
#include "hooks/import.hpp"

#include "event/errc.hpp"
#include "support/catch.hpp"

using vibes::hooks::import_line;

TEST_CASE("import: a line of a transcript is kept as it is, with its session and time",
          "[hooks][import]") {
  const auto event = import_line(
      R"({"parentUuid":null,"sessionId":"s-1","type":"user","uuid":"u","timestamp":"2026-01-05T09:00:00.000Z","message":{"n":1.50}})");
  REQUIRE(event);
  CHECK(event->type == "transcript_entry");
  CHECK(event->session == "s-1");
  CHECK(
      event->payload ==
      R"({"type":"transcript_entry","session_id":"s-1","time":"2026-01-05T09:00:00.000Z",)"
      R"("imported":{"from":"claude-code"},"entry":{"parentUuid":null,"sessionId":"s-1",)"
      R"("type":"user","uuid":"u","timestamp":"2026-01-05T09:00:00.000Z","message":{"n":1.50}}})");
}

TEST_CASE("import: a line of a transcript that has no session is one all the same",
          "[hooks][import]") {
  const auto event = import_line(R"({"type":"summary","summary":"x","leafUuid":"u"})");
  REQUIRE(event);
  CHECK(event->type == "transcript_entry");
  CHECK(event->session.empty());
}

TEST_CASE("import: an envelope is opened, and its id and time are kept beside the event",
          "[hooks][import]") {
  const auto event = import_line(
      R"({"event_id":"01900000-0000-7000-8000-000000000001","offset":7,"time":"2026-01-05T09:00:00.000000Z","event":{"type":"note","n":1}})");
  REQUIRE(event);
  CHECK(
      event->payload ==
      R"({"type":"note","n":1,"imported":{"from":"vibes",)"
      R"("event_id":"01900000-0000-7000-8000-000000000001","time":"2026-01-05T09:00:00.000000Z"}})");
}

TEST_CASE("import: an event is marked, once", "[hooks][import]") {
  const auto once = import_line(R"( {"type":"note" } )");
  REQUIRE(once);
  CHECK(once->payload == R"({"type":"note" ,"imported":{"from":"events"}})");
  const auto twice = import_line(once->payload);
  REQUIRE(twice);
  CHECK(twice->payload == once->payload);
  CHECK(twice->event_id == once->event_id);
}

TEST_CASE("import: the same line is the same event, another line another", "[hooks][import]") {
  const std::string line = R"({"sessionId":"s","type":"user"})";
  CHECK(import_line(line)->event_id == import_line(line + "\r")->event_id);
  CHECK(import_line(line)->event_id != import_line(R"({"sessionId":"t","type":"user"})")->event_id);
  const std::string id = "01900000-0000-7000-8000-000000000002";
  CHECK(import_line(R"({"type":"note","event_id":")" + id + "\"}")->event_id ==
        vibes::parse_uuid(id));
}

TEST_CASE("import: what is no event is refused", "[hooks][import]") {
  using vibes::event::Errc;
  CHECK(import_line("{").error().code == make_error_code(Errc::not_json));
  CHECK(import_line("[]").error().code == make_error_code(Errc::not_an_object));
  CHECK(import_line(R"({"no":"type"})").error().code == make_error_code(Errc::bad_type));
  CHECK_FALSE(import_line(R"({"sessionId":"s"} ,"type":"x"})"));
  CHECK(
      import_line(R"({"sessionId":"s","x":")" + std::string(1U << 20U, 'x') + "\"}").error().code ==
      make_error_code(Errc::too_large));
}
