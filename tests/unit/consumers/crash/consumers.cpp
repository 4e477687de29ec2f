// SPDX-License-Identifier: MIT
#include "unit/consumers/crash/consumers.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "base/unique_fd.hpp"
#include "base/uuid.hpp"
#include "consumers/assessment/assessment_consumer.hpp"
#include "consumers/interventions/intervention_handler.hpp"
#include "consumers/interventions/intervention_store.hpp"
#include "consumers/notifications/notification_handler.hpp"
#include "consumers/sessions/session_collector.hpp"

namespace vibes::test {
namespace {

using namespace vibes::consumers;

std::string effects_in(const std::string& dir) { return dir + "/effects"; }

std::vector<Effect> read_effects(const std::string& dir) {
  std::ifstream file(effects_in(dir));
  std::vector<Effect> effects;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Effect effect;
    VIBES_ASSERT(words >> effect.life >> effect.offset);
    std::getline(words, effect.what);
    effects.push_back(std::move(effect));
  }
  return effects;
}

/// Keeps what it is handed until it is asked to settle, and then has one effect for all of it.
class LazyHandler final : public Handler {
 public:
  LazyHandler(const std::string& dir, std::uint64_t life)
      : file_(::open(effects_in(dir).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
        life_(life) {
    VIBES_ASSERT(file_);
  }
  Outcome handle(const event::EventView& event, std::uint64_t /*attempt*/) override {
    pending_ += std::to_string(life_) + ' ' + std::to_string(event.offset.value()) + ' ' +
                to_string(event.event_id) + ' ' + std::string(event.payload) + '\n';
    return Outcome::ok();
  }
  Result<Offset> settle(Offset handled, Occasion /*occasion*/) override {
    const std::string lines = std::exchange(pending_, {});
    VIBES_ASSERT(::write(file_.get(), lines.data(), lines.size()) ==
                 static_cast<ssize_t>(lines.size()));
    return handled;
  }

 private:
  const UniqueFd file_;
  const std::uint64_t life_;
  std::string pending_;
};

ConsumerRow generic() {
  return {.group = "generic",
          .make = [](const Life& life) -> HandlerFactory {
            return [dir = life.dir, number = life.number](Offset) {
              return std::make_unique<LazyHandler>(dir, number);
            };
          },
          .result = [](const auto&, auto&) { return std::vector<std::string>(); },
          .effects = read_effects};
}

std::vector<std::string> files_in(const std::string& dir) {
  std::vector<std::string> files;
  for (const auto& one : std::filesystem::directory_iterator(dir)) {
    std::ifstream file(one.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    files.push_back(one.path().filename().string() + ": " + text.str());
  }
  std::ranges::sort(files);
  return files;
}

ConsumerRow sessions() {
  return {.group = "sessions",
          .make = [](const Life& life) -> HandlerFactory {
            auto store = std::make_shared<TranscriptStore>(life.dir + "/transcripts", life.files);
            return [store, collect = collect_sessions(*store, life.log)](Offset start) {
              return collect(start);
            };
          },
          .result = [](const std::string& dir, auto&) { return files_in(dir + "/transcripts"); },
          .effects = {}};
}

/// The log behind `from`.
std::vector<std::string> events_from(eventlog::EventLog& log, Offset from) {
  std::vector<std::string> events;
  auto reader = log.reader(from);
  VIBES_ASSERT(reader);
  while (from + events.size() < log.end()) {
    const auto batch = (*reader)->read({});
    VIBES_ASSERT(batch && !batch->events.empty());
    for (const event::EventView& event : batch->events) {
      events.push_back(to_string(event.event_id) + ' ' + std::string(event.payload));
    }
  }
  return events;
}

ConsumerRow assessment(std::uint64_t events) {
  return {.group = "assessment",
          .make = [](const Life& life) -> HandlerFactory {
            return [&life](Offset start) -> std::unique_ptr<Handler> {
              auto opened = assessment::AssessmentConsumer::open(life.log, life.files,
                                                                 life.dir + "/assessment.json",
                                                                 assessment::Patterns(), start);
              VIBES_ASSERT(opened);
              return *std::move(opened);
            };
          },
          .result = [events](const auto&, auto& log) { return events_from(log, Offset(events)); },
          .effects = {}};
}

/// The channel is a command that writes a line.
ConsumerRow notifications() {
  return {.group = "notifications",
          .until = ConsumerRow::Until::committed,
          .make = [](const Life& life) -> HandlerFactory {
            NotifyOptions options;
            options.command = "printf '%s %s %s %s %s\\n' " + std::to_string(life.number) +
                              R"( "$VIBES_OFFSET" "$VIBES_EVENT_ID" "$VIBES_TAG" "$VIBES_BODY")"
                              " >>'" +
                              effects_in(life.dir) + "'";
            auto started = Notifier::start(options);
            VIBES_ASSERT(started);
            const std::shared_ptr<Notifier> notifier = *std::move(started);
            return [notifier, handle = notify(*notifier, life.log, life.clock)](Offset start) {
              return handle(start);
            };
          },
          .result = [](const auto&, auto&) { return std::vector<std::string>(); },
          .effects = read_effects};
}

/// One at whose time nothing is old.
class FirstClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {}; }
  [[nodiscard]] std::int64_t steady_ns() const override { return 0; }
};

/// What the next hook of each session would be given by a server that starts where the group
/// stands.
std::vector<std::string> given_to_hooks(const std::string& state_file, eventlog::EventLog& log) {
  const FirstClock clock;
  InterventionStore store({log, io::posix_file_system(), state_file, clock});
  const auto committed = log.group_offsets().committed("interventions");
  VIBES_ASSERT(committed && store.restart(*committed));
  std::vector<std::string> given;
  for (std::uint64_t n = 0; n < kInterventions; ++n) {
    const std::string session = intervened_session(n);
    const auto handout = store.hand_out(session, name_uuid(kUrlNamespace, session));
    VIBES_ASSERT(!handout || n != kDeliveredIntervention);
    if (handout) {
      given.push_back(session + ": " + handout->context);
    }
  }
  return given;
}

ConsumerRow interventions() {
  return {.group = "interventions",
          .make = [](const Life& life) -> HandlerFactory {
            auto store = std::make_shared<InterventionStore>(InterventionStore::Places{
                life.log, life.files, life.dir + "/interventions.json", life.clock});
            return [store, gather = gather_interventions(*store)](Offset start) {
              return gather(start);
            };
          },
          .result = [](const std::string& dir,
                       auto& log) { return given_to_hooks(dir + "/interventions.json", log); },
          .effects = {}};
}

}  // namespace

std::string intervened_session(std::uint64_t number) { return "told-" + std::to_string(number); }

// A consumer more is a row more.
std::vector<ConsumerRow> consumer_rows(std::uint64_t events) {
  return {generic(), sessions(), assessment(events), notifications(), interventions()};
}

}  // namespace vibes::test
