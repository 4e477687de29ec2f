// SPDX-License-Identifier: MIT
#include "client/frame_reader.hpp"

#include "client/errc.hpp"
#include "support/catch.hpp"

using namespace vibes::client;

namespace {

template <class T>
T read(FrameReader& reader, std::string_view text) {
  auto frame = reader.read(text);
  REQUIRE(frame);
  REQUIRE(std::holds_alternative<T>(*frame));
  return std::get<T>(*std::move(frame));
}

}  // namespace

TEST_CASE("frames: the bytes of an event stay as they are", "[client][frames]") {
  FrameReader reader;
  const auto events = read<Events>(
      reader,
      R"({"type":"events","events":[)"
      R"({"event_id":"i","offset":7,"time":"t","event":{ "type":"x", "n":1.50e+0, "s":"\u0041}" }},)"
      R"({"event_id":"j","offset":8,"time":"u","event":{"type":"offset"}}]})");
  REQUIRE(events.events.size() == 2);
  CHECK(events.events[0].event == R"({ "type":"x", "n":1.50e+0, "s":"\u0041}" })");
  CHECK(events.events[0].offset == vibes::Offset(7));
  CHECK(events.events[0].event_id == "i");
  CHECK(events.events[1].event == R"({"type":"offset"})");
  CHECK(events.events[1].time == "u");
}

TEST_CASE("frames: a single event is a batch of one", "[client][frames]") {
  FrameReader reader;
  const auto events = read<Events>(
      reader, R"({"type":"event","event_id":"i","offset":1,"time":"t","event":{"type":"x"}})");
  REQUIRE(events.events.size() == 1);
  CHECK(events.events[0].event == R"({"type":"x"})");
}

TEST_CASE("frames: every kind is told from the others", "[client][frames]") {
  FrameReader reader;
  const auto hello = read<HelloFrame>(
      reader,
      R"({"type":"hello","log_id":"0192f0c0-0000-7000-8000-000000000001","first":1,"end":9,"cursor":"v1.x","server":"s"})");
  CHECK(hello.hello.end == vibes::Offset(9));
  CHECK(hello.cursor == "v1.x");
  const auto position = read<PositionFrame>(
      reader, R"({"type":"position","cursor":"c","offset":3,"end":9,"caught_up":true})");
  CHECK(position.report.offset == vibes::Offset(3));
  CHECK(position.report.caught_up);
  const auto gap =
      read<GapReport>(reader, R"({"type":"gap","from":1,"to":5,"reason":"retention"})");
  CHECK(gap.to == vibes::Offset(5));
  CHECK(gap.reason == "retention");
  CHECK(read<Committed>(reader, R"({"type":"committed","group":"g","offset":4})").offset ==
        vibes::Offset(4));
  (void)read<Ended>(reader, R"({"type":"end"})");
  const auto error = read<ErrorFrame>(reader, R"({"type":"error","code":"c","message":"m"})");
  CHECK(error.code == "c");
  (void)read<OtherFrame>(reader, R"({"type":"from_the_future","x":[1]})");
}

TEST_CASE("frames: nonsense is an error and the reader goes on", "[client][frames]") {
  FrameReader reader;
  for (const char* text :
       {"", "x", "[]", R"({"type":5})", R"({"type":"events","events":[{"offset":1}]})",
        R"({"type":"event","event_id":"i"})", R"({"type":"events","events":7})",
        R"({"type":"event","event_id":"i","offset":-1,"time":"t","event":{}})"}) {
    INFO(text);
    const auto frame = reader.read(text);
    REQUIRE_FALSE(frame);
    CHECK(frame.error().code == make_error_code(Errc::bad_answer));
  }
  (void)read<Ended>(reader, R"({"type":"end"})");
}
