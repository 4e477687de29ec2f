// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/offset.hpp"
#include "base/result.hpp"
#include "consumers/assessment/assessor.hpp"
#include "consumers/assessment/model_backend.hpp"
#include "consumers/assessment/summarizer.hpp"
#include "consumers/consumer.hpp"
#include "consumers/save_pace.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::io {
class FileSystem;
}

namespace vibes::consumers::assessment {

/// The consumer of the group `assessment`: appends what an Assessor makes of each event to the same
/// log. It settles what is durable: first the results, then the state, in one file that a crash
/// leaves old or new. What it is handed again after a crash it either knows from its state and
/// leaves out, or folds to the same results, which the log takes as duplicates.
///
/// With a model the results that have a summary go to a Summarizer, which appends them when it has
/// asked, and hold nothing back: the state remembers those that still wait, and whoever loads it
/// asks for them again. What the log has already nobody is asked about.
class AssessmentConsumer final : public Handler {
 public:
  /// `state_file` lies in a directory that exists, or is empty: then nothing outlives this. Loads
  /// it if it is there; `start` is the first offset that will be handed over. Where that is the
  /// beginning of the log all is assessed anew. Log and file system must outlive the consumer.
  /// Errors: Errc::bad_state, or of reading.
  static Result<std::unique_ptr<AssessmentConsumer>> open(eventlog::EventLog& log,
                                                          io::FileSystem& file_system,
                                                          std::string state_file, Patterns patterns,
                                                          Offset start,
                                                          std::optional<BackendOptions> model = {});

  Outcome handle(const event::EventView& event, std::uint64_t attempt) override;
  /// Waits for the log to make the results durable. While it catches up it settles less often than
  /// it is asked, for that writes all of its state (SavePace). Errors: an append failed, or the
  /// state could not be written; whoever starts anew starts from what was settled before.
  Result<Offset> settle(Offset handled, Occasion occasion) override;

  /// Results that the log has under the same id with other bytes, because they were made with other
  /// patterns. The first stay.
  [[nodiscard]] std::uint64_t conflicts() const;

 private:
  class Appends;
  enum class Saved : std::uint8_t { yes, no };

  AssessmentConsumer(eventlog::EventLog& log, io::FileSystem& file_system, std::string state_file,
                     Patterns patterns, Offset start, std::optional<BackendOptions> model);
  Result<void> load();
  Result<void> resume(const std::vector<AssessmentResult>& asked);
  Result<void> save(Offset next);
  Outcome send();
  Result<void> hand_over(const AssessmentResult& result);
  Result<void> append(const event::NewEvent& result);
  [[nodiscard]] bool is_in_log(const event::NewEvent& result) const;

  eventlog::EventLog& log_;
  io::FileSystem& file_system_;
  const std::string state_file_;
  Assessor assessor_;
  Offset known_;              // the state holds every event before it
  Offset settled_;            // what settle() returned last
  Saved saved_ = Saved::yes;  // all that is in known_
  SavePace pace_{std::chrono::milliseconds(0)};
  Offset sending_;                    // the event of unsent_
  Assessor::EventResults unsent_;     // that the log had no room for yet, in reverse order
  std::shared_ptr<Appends> appends_;  // shared with the log, which may answer after we are gone
  std::uint64_t finished_saved_ = 0;  // Summarizer::Waiting::finished when it was saved
  std::unique_ptr<Summarizer> summarizer_;  // none: no model is asked
};

}  // namespace vibes::consumers::assessment
