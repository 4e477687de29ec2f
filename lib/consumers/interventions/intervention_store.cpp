// SPDX-License-Identifier: MIT
#include "consumers/interventions/intervention_store.hpp"

#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "io/file_system.hpp"
#include "io/replace_file.hpp"

namespace vibes::consumers {
namespace {

// More than a group that keeps up ever owes, and read in a few milliseconds.
constexpr int kCatchUpSlicesMax = 8;

Unexpected too_far_behind() {
  return fail(std::make_error_code(std::errc::resource_unavailable_try_again),
              "the group interventions is far behind the log");
}

}  // namespace

InterventionStore::InterventionStore(Places places)
    : places_(std::move(places)), waiting_(places_.clock) {}

Result<void> InterventionStore::restart(Offset start) {
  const MutexLock lock(mutex_);
  const bool is_beginning = start <= places_.log.first();
  Result<void> loaded = is_ready_ ? Result<void>() : load();
  if (!loaded && !is_beginning) {
    return loaded;
  }
  // The log begins there too when retention has taken all that the group had read: then what is
  // known is older, and stays. A state that cannot be read is to be written anew.
  if (is_beginning && (!loaded || waiting_.next() > start)) {
    waiting_.clear();
  }
  waiting_.skip_to(start);
  is_ready_ = true;
  return {};
}

Result<void> InterventionStore::fold(const event::EventView& event) {
  const MutexLock lock(mutex_);
  return waiting_.fold(event);
}

std::optional<Handout> InterventionStore::hand_out(std::string_view session, const Uuid& hook) {
  const MutexLock lock(mutex_);
  // Without knowing all of the log nothing is said: the next prompt comes.
  if (!is_ready_ || !catch_up()) {
    return std::nullopt;
  }
  return waiting_.hand_out(session, hook);
}

Result<void> InterventionStore::catch_up() {
  const Offset end = places_.log.end();
  if (waiting_.next() >= end) {
    return {};
  }
  if (end - waiting_.next() > limits::kInterventionCatchUpEvents) {
    return too_far_behind();
  }
  VIBES_TRY_ASSIGN(reader, places_.log.reader(waiting_.next()));
  for (int slice = 0; slice < kCatchUpSlicesMax && waiting_.next() < end; ++slice) {
    VIBES_TRY_ASSIGN(batch, reader->read({.events_max = limits::kInterventionCatchUpEvents,
                                          .bytes_max = limits::kScanSliceBytes,
                                          .scan_bytes_max = limits::kScanSliceBytes}));
    for (const event::EventView& event : batch.events) {
      // What is wrong with one is for the group to say, which is handed it too.
      (void)waiting_.fold(event);
    }
    waiting_.skip_to(reader->position());
  }
  return waiting_.next() >= end ? Result<void>() : too_far_behind();
}

Result<void> InterventionStore::load() {
  const std::string& path = places_.state_file;
  if (path.empty()) {
    return {};
  }
  VIBES_TRY_ASSIGN(exists, places_.file_system.exists(path));
  if (!exists) {
    return {};
  }
  VIBES_TRY_ASSIGN(file, places_.file_system.open(path, io::OpenMode::read_only));
  VIBES_TRY_ASSIGN(size, file->size());
  std::string text(size, '\0');
  VIBES_TRY_ASSIGN(got, file->read_at(0, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  // The first line says of which log, the second is the state.
  const std::size_t newline = text.find('\n');
  if (newline == std::string::npos || text.substr(0, newline) != to_string(places_.log.log_id())) {
    return fail(std::make_error_code(std::errc::bad_message),
                path + ": of another log, or damaged");
  }
  if (const Result<void> loaded = waiting_.load(std::string_view(text).substr(newline + 1));
      !loaded) {
    return fail(loaded.error().code, path + ": " + loaded.error().context);
  }
  return {};
}

Result<void> InterventionStore::save() {
  std::string text;
  {
    const MutexLock lock(mutex_);
    if (places_.state_file.empty() || (is_saved_ && !waiting_.has_changed())) {
      return {};
    }
    text = fmt::format("{}\n{}", to_string(places_.log.log_id()), waiting_.save());
  }
  is_saved_ = false;
  VIBES_TRY(io::replace_file(places_.file_system, places_.state_file, text));
  is_saved_ = true;
  return {};
}

}  // namespace vibes::consumers
