// SPDX-License-Identifier: MIT
#include "cli/event_template.hpp"

#include "support/catch.hpp"

using vibes::cli::EventTemplate;

namespace {

std::string filled(std::string_view text) {
  vibes::event::EventView view;
  view.offset = vibes::Offset(42);
  view.time = *vibes::parse_rfc3339("2026-11-23T13:27:01.5Z");
  view.type = "note";
  view.session = "s1";
  view.payload = R"({"type":"note","session_id":"s1","a":{"b":["x",2,null]},"n":1.50})";
  const auto parsed = EventTemplate::parse(text);
  if (!parsed) {
    return parsed.error().context;
  }
  std::string out;
  parsed->append(out, view);
  return out;
}

}  // namespace

TEST_CASE("template: fields are replaced", "[cli][template]") {
  CHECK(filled("{offset} {type}/{category} {session}") == "42 note/custom s1");
  CHECK(filled("{time}") == "2026-11-23T13:27:01.500000Z");
  CHECK(filled("{event}").starts_with(R"({"type":"note")"));
  CHECK(filled("plain") == "plain");
  CHECK(filled("").empty());
}

TEST_CASE("template: members are found by their path", "[cli][template]") {
  CHECK(filled("{event.session_id}") == "s1");
  CHECK(filled("{event.a.b.0}|{event.a.b.1}|{event.a.b}") == R"(x|2|["x",2,null])");
  CHECK(filled("[{event.missing}{event.a.b.2}{event.a.b.9}{event.a.b.x}{event.n.deeper}]") == "[]");
}

TEST_CASE("template: escapes and doubled braces stand for themselves", "[cli][template]") {
  CHECK(filled(R"(a\tb\nc\\d)") == "a\tb\nc\\d");
  CHECK(filled("{{{offset}}}") == "{42}");
  CHECK(filled(R"(\0)") == std::string(1, '\0'));
}

TEST_CASE("template: a mistake is named", "[cli][template]") {
  CHECK(filled("{offzet}").find("no field {offzet}") != std::string::npos);
  CHECK(filled("{event.}").find("no field") != std::string::npos);
  CHECK(filled("{offset").find("without its '}'") != std::string::npos);
  CHECK(filled("offset}").find("without its '{'") != std::string::npos);
}
