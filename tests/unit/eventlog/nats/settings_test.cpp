// SPDX-License-Identifier: MIT
#include "eventlog/errc.hpp"
#include "eventlog/nats/stream_setup.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::eventlog;

namespace {

struct Settings {
  nats::NatsOptions asked = *nats::parse_nats_url("nats://localhost");
  const char* subjects[2] = {"vibes.events.>", "more"};
  jsStreamConfig is{};
  Settings() {
    jsStreamConfig_Init(&is);
    is.Subjects = subjects;
    is.SubjectsLen = 1;
    is.Replicas = 1;
  }
  std::string difference() const {
    const auto checked = nats::check_settings(is, asked);
    if (checked) {
      return "";
    }
    CHECK(checked.error().code == Errc::other_settings);
    return checked.error().context;
  }
};

}  // namespace

TEST_CASE("nats: a stream with other settings is refused by name", "[eventlog][nats]") {
  Settings settings;
  CHECK(settings.difference().empty());
  SECTION("replicas") {
    settings.asked.replicas = 3;
    CHECK(settings.difference() == "stream vibes: replicas 1, asked for 3");
    settings.is.Replicas = 5;
    CHECK(settings.difference().empty());
  }
  SECTION("subjects") {
    settings.is.SubjectsLen = 2;
    CHECK(settings.difference() ==
          "stream vibes: subjects vibes.events.>,more, asked for vibes.events.>");
  }
  SECTION("storage") {
    settings.is.Storage = js_MemoryStorage;
    CHECK(settings.difference().find("storage memory") != std::string::npos);
  }
  SECTION("retention") {
    settings.is.Retention = js_WorkQueuePolicy;
    CHECK(settings.difference().find("retention") != std::string::npos);
  }
  SECTION("no acks") {
    settings.is.NoAck = true;
    CHECK(settings.difference().find("no_ack") != std::string::npos);
  }
  SECTION("sealed") {
    settings.is.Sealed = true;
    CHECK(settings.difference().find("sealed") != std::string::npos);
  }
  SECTION("messages per subject") {
    settings.is.MaxMsgsPerSubject = 10;
    CHECK(settings.difference().find("max_msgs_per_subject 10") != std::string::npos);
  }
  SECTION("limits, only where they were asked for") {
    settings.is.MaxBytes = 1'000;
    settings.is.MaxAge = 1'000'000'000;
    CHECK(settings.difference().empty());
    settings.asked.max_bytes = 1'000;
    settings.asked.max_age = std::chrono::seconds(1);
    CHECK(settings.difference().empty());
    settings.asked.max_bytes = 2'000;
    CHECK(settings.difference() == "stream vibes: max_bytes 1000, asked for 2000");
    settings.asked.max_bytes.reset();
    settings.asked.max_age = std::chrono::seconds(2);
    CHECK(settings.difference() == "stream vibes: max_age 1 s, asked for 2 s");
  }
}
