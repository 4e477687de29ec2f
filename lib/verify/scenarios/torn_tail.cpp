// SPDX-License-Identifier: MIT
#include "verify/scenarios/torn_tail.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "verify/errc.hpp"
#include "verify/scenarios/tools.hpp"

namespace vibes::verify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytesCut = 20;
constexpr std::chrono::seconds kStopWithin{15};
constexpr std::string_view kRefusal = "exit code 65";

Result<fs::path> newest_segment(const fs::path& log) {
  fs::path newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(log / "log", error)) {
    // Names are first offsets with leading zeros.
    if (entry.path().extension() == ".seg" && entry.path() > newest) {
      newest = entry.path();
    }
  }
  if (error || newest.empty()) {
    return fail(error ? error : make_error_code(Errc::unexpected_answer),
                (log / "log").string() + " has no segment");
  }
  return newest;
}

/// A segment without the end of what is written in it; put_back() undoes it.
class CutSegment {
 public:
  static Result<CutSegment> cut(const fs::path& log) {
    CutSegment segment;
    VIBES_TRY_ASSIGN(path, newest_segment(log));
    segment.path_ = path;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream whole;
    whole << file.rdbuf();
    segment.bytes_ = whole.str();
    std::size_t used = segment.bytes_.size();
    while (used > 0 && segment.bytes_[used - 1] == '\0') {
      --used;  // preallocated space
    }
    if (!file || used < kBytesCut) {
      return fail(Errc::unexpected_answer, path.string() + " cannot be read");
    }
    fs::resize_file(path, used - kBytesCut);
    return segment;
  }

  Result<void> put_back() const {
    std::ofstream file(path_, std::ios::binary);
    file << bytes_;
    return file.flush() ? Result<void>() : fail_errno(path_.string());
  }
  [[nodiscard]] std::string name() const { return path_.filename(); }

 private:
  fs::path path_;
  std::string bytes_;
};

class TornTail {
 public:
  TornTail(Stage& stage, client::Deadline deadline)
      : stage_(stage), server_(stage.own_server()), deadline_(deadline) {}

  CheckOutcome vouched_for() {
    VIBES_TRY_ASSIGN(end, append_one());
    VIBES_TRY(server_.stop(client::within(kStopWithin)));
    VIBES_TRY_ASSIGN(cut, CutSegment::cut(server_.log_directory()));
    const auto started = server_.start_again(deadline_);
    if (started || !is_refusal(started.error(), cut)) {
      return CheckOutcome::mismatch("20 bytes are missing that were on disk before a clean stop",
                                    fmt::format("{} naming {}", kRefusal, cut.name()),
                                    started ? "the server started" : started.error().message());
    }
    VIBES_TRY(cut.put_back());
    VIBES_TRY(server_.start_again(deadline_));
    return expect_end(end, "the bytes are back after a refused start");
  }

  CheckOutcome perhaps_torn() {
    VIBES_TRY_ASSIGN(end, append_one());
    VIBES_TRY(server_.kill());
    VIBES_TRY_ASSIGN(cut, CutSegment::cut(server_.log_directory()));
    if (auto started = server_.start_again(deadline_); !started) {
      if (!is_refusal(started.error(), cut)) {
        return CheckOutcome::mismatch(
            "a log without its last 20 bytes is neither opened nor refused", std::string(kRefusal),
            started.error().message());
      }
      VIBES_TRY(cut.put_back());
      VIBES_TRY(server_.start_again(deadline_));
      return expect_end(end, "the bytes are back after a refused start");
    }
    auto outcome = expect_end(Offset(end.value() - 1), "the last batch was torn");
    return outcome.failure() ? std::move(outcome) : expect_told(cut);
  }

 private:
  /// Appends one event; returns the log's end behind it.
  Result<Offset> append_one() {
    VIBES_TRY_ASSIGN(answer,
                     post_events(stage_.target(), R"({"type":"verify","text":"the last one"})",
                                 "application/json", deadline_));
    if (!answer.is_success()) {
      return fail(client::http_error(answer));
    }
    return log_end(stage_.target(), deadline_);
  }

  [[nodiscard]] static bool is_refusal(const Error& error, const CutSegment& cut) {
    const std::string said = error.message();
    return said.find(kRefusal) != std::string::npos && said.find(cut.name()) != std::string::npos;
  }

  CheckOutcome expect_end(Offset expected, const std::string& when) {
    VIBES_TRY_ASSIGN(end, log_end(stage_.target(), deadline_));
    return end == expected ? CheckOutcome::passed()
                           : CheckOutcome::mismatch("where the log ends when " + when,
                                                    std::to_string(expected.value()),
                                                    std::to_string(end.value()));
  }

  CheckOutcome expect_told(const CutSegment& cut) {
    VIBES_TRY_ASSIGN(health, get_json(stage_.target(), "/api/health", deadline_));
    const auto told = health.value("/log/recovery"_json_pointer, nlohmann::json());
    const bool is_kept = !fs::is_empty(server_.log_directory() / "quarantine");
    return told.is_string() && told.get<std::string>().find(cut.name()) != std::string::npos &&
                   is_kept
               ? CheckOutcome::passed()
               : CheckOutcome::mismatch(
                     "a torn tail was cut off in silence",
                     "log.recovery in /api/health names the segment, the bytes in quarantine",
                     fmt::format("log.recovery {}, quarantine {}", told.dump(),
                                 is_kept ? "holds them" : "empty"));
  }

  Stage& stage_;
  ServerProcess& server_;
  client::Deadline deadline_;
};

}  // namespace

CheckOutcome check_torn_tail(Stage& stage, client::Deadline deadline) {
  if (!stage.options().log.empty()) {
    return CheckOutcome::skipped("only a log of this run's own is damaged on purpose");
  }
  TornTail tail(stage, deadline);
  auto outcome = tail.vouched_for();
  return outcome.failure() ? std::move(outcome) : tail.perhaps_torn();
}

}  // namespace vibes::verify
