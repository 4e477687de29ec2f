// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/paths.hpp"
#include "base/uuid.hpp"
#include "cli/signals.hpp"
#include "engines/open.hpp"
#include "eventlog/errc.hpp"
#include "io/file_system.hpp"
#include "log_copier.hpp"
#include "log_options.hpp"
#include "progress_bar.hpp"

namespace vibes::ctl {
namespace {

namespace fs = std::filesystem;
using Clockwork = std::chrono::steady_clock;
using Groups = LogCopyOptions::Groups;

/// 212800 as "212,800".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string counted(std::uint64_t events) {
  return grouped(events) + (events == 1 ? " event" : " events");
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(limits::kMiB));
}

/// Signals end the program at once as long as nothing has begun that has to be ended well.
class Brake {
 public:
  static Result<std::unique_ptr<Brake>> make() {
    auto brake = std::make_unique<Brake>();
    VIBES_TRY_ASSIGN(interrupts, cli::Interrupts::start([raw = brake.get()] { raw->look(); }));
    brake->interrupts_ = std::move(interrupts);
    brake->ready_ = brake->interrupts_.get();
    brake->look();
    return brake;
  }
  void end_well() { well_ = true; }
  [[nodiscard]] int signal() const { return interrupts_->signal(); }

 private:
  void look() {
    const cli::Interrupts* interrupts = ready_;
    if (interrupts != nullptr && interrupts->signal() != 0 && !well_) {
      cli::die_of(interrupts->signal());
    }
  }

  std::atomic<cli::Interrupts*> ready_ = nullptr;
  std::atomic<bool> well_ = false;
  std::unique_ptr<cli::Interrupts> interrupts_;
};

/// Where an engine elsewhere is copied to so that it can be read: a directory of the URL's under
/// the state directory. Not the server's, which may have it open; not in memory, which may be less
/// than the log. It stays until a copy is finished, so that one that was interrupted does not read
/// everything again.
class Scratch {
 public:
  static Result<Scratch> make(const std::string& url) {
    VIBES_TRY_ASSIGN(paths, default_paths());
    const fs::path copies = paths.state / "copies";
    const std::string name = to_string(name_uuid(kUrlNamespace, engines::without_secrets(url)));
    VIBES_TRY(make_private_directory(paths.state));
    VIBES_TRY(make_private_directory(copies));
    auto lock = io::posix_file_system().lock((copies / (name + ".lock")).string(),
                                             fmt::format("pid {}", ::getpid()));
    if (!lock) {
      return lock.error().code == std::errc::resource_unavailable_try_again
                 ? fail(eventlog::Errc::locked, "another copy of " + engines::without_secrets(url) +
                                                    " is under way: " + lock.error().context)
                 : fail(lock.error());
    }
    VIBES_TRY(make_private_directory(copies / name));
    return Scratch(copies / name, *std::move(lock));
  }

  [[nodiscard]] std::string directory() const { return directory_.string(); }
  void remove() const {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

 private:
  Scratch(fs::path directory, std::unique_ptr<io::FileLock> lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}

  fs::path directory_;
  std::unique_ptr<io::FileLock> lock_;
};

/// `usual`: that of any verb.
ExitCode exit_code_of_copy(const Error& error, ExitCode usual) {
  if (error.code == CopyErrc::differs) {
    return ExitCode::verification_failed;
  }
  if (error.code == CopyErrc::gone) {
    return ExitCode::gap;
  }
  if (error.code.category() == copy_error_category()) {
    return ExitCode::conflict;
  }
  if (error.code == eventlog::Errc::indeterminate) {
    return ExitCode::cannot_connect;  // the engine went away with what was under way
  }
  if (error.code == std::errc::timed_out) {
    return ExitCode::timeout;
  }
  return error.code == std::errc::no_such_file_or_directory ? ExitCode::not_found : usual;
}

/// One `vibesctl log copy`.
class LogCopy {
 public:
  LogCopy(Session& session, const LogCopyOptions& options, Brake& brake)
      : session_(session), options_(options), brake_(brake) {}

  /// Errors have been reported.
  ExitCode run() {
    const auto done = copy();
    const auto closed = close();
    progress_.reset();
    if (!done) {
      return report(done.error());
    }
    if (!closed) {
      return report(closed.error());
    }
    for (const auto& scratch : {std::cref(source_scratch_), std::cref(target_scratch_)}) {
      if (scratch.get()) {
        scratch.get()->remove();
      }
    }
    return ExitCode::ok;
  }

 private:
  Result<void> copy() {
    VIBES_TRY(open_source());
    VIBES_TRY(open_target());
    VIBES_TRY_ASSIGN(plan, plan_copy(*source_, *target_));
    VIBES_TRY(check_groups(plan));
    progress_.emplace(plan.events());
    copier_.emplace(*source_, *target_, plan);
    brake_.end_well();
    const auto began = Clockwork::now();
    VIBES_TRY(copier_->copy(shown("copied", plan.events()), stopped()));
    const std::chrono::duration<double> took = Clockwork::now() - began;
    VIBES_TRY(target_->status().state == eventlog::LogStatus::State::failed
                  ? Result<void>(fail(eventlog::Errc::failed, target_->status().reason))
                  : Result<void>());
    progress_.emplace(copier_->to_verify());
    VIBES_TRY_ASSIGN(same, copier_->verify(shown("verified", copier_->to_verify()), stopped()));
    VIBES_TRY(copy_groups(plan));
    progress_->clear();
    tell(plan, same, took.count());
    return {};
  }

  Result<void> open_source() {
    eventlog::LogOptions options;
    options.outbox = false;
    if (engines::is_elsewhere(options_.source)) {
      VIBES_TRY_ASSIGN(scratch, Scratch::make(options_.source));
      options.state_directory = scratch.directory();
      source_scratch_.emplace(std::move(scratch));
    }
    VIBES_TRY_ASSIGN(source, engines::open_to_read(options_.source, options));
    source_ = std::move(source);
    return {};
  }

  Result<void> open_target() {
    if (options_.target == "memory:") {
      return fail(eventlog::Errc::bad_url, "memory: ends with this program");
    }
    eventlog::LogOptions options;
    options.outbox = false;
    if (engines::is_elsewhere(options_.target)) {
      if (engines::without_secrets(options_.source) == engines::without_secrets(options_.target)) {
        return fail(eventlog::Errc::bad_url, "SRC and DST are the same log");
      }
      VIBES_TRY_ASSIGN(scratch, Scratch::make(options_.target));
      options.state_directory = scratch.directory();
      target_scratch_.emplace(std::move(scratch));
    } else {
      VIBES_TRY_ASSIGN(is_there, look_at_target());
      if (!is_there) {
        options.origin = eventlog::Origin{source_->log_id(), source_->first()};
      }
    }
    VIBES_TRY_ASSIGN(target, engines::open_log(options_.target, options));
    target_ = std::move(target);
    if (target_->status().url == source_->status().url) {
      return fail(eventlog::Errc::bad_url, "SRC and DST are the same log");
    }
    return {};
  }

  /// A file log is only opened for writing once it is known that the copy can go on there.
  Result<bool> look_at_target() {
    const auto target = engines::open_to_read(options_.target, {});
    if (!target) {
      const bool is_none = target.error().code == eventlog::Errc::foreign ||
                           target.error().code == std::errc::no_such_file_or_directory;
      return is_none ? Result<bool>(false) : Result<bool>(fail(target.error()));
    }
    VIBES_TRY(plan_copy(*source_, **target));
    return true;
  }

  [[nodiscard]] LogCopier::Stopped stopped() const {
    return [this] { return brake_.signal() != 0; };
  }

  LogCopier::Progress shown(const char* what, std::uint64_t total) {
    return [this, what, total](std::uint64_t done, std::uint64_t bytes) {
      progress_->show(done, fmt::format("{} {} of {}, {}", what, grouped(done), counted(total),
                                        mebibytes(bytes)));
    };
  }

  Result<void> check_groups(const CopyPlan& plan) const {
    return options_.groups == Groups::all && !plan.keeps_offsets()
               ? Result<void>(fail(eventlog::Errc::bad_url,
                                   "--groups all: the offsets in DST are other ones than in SRC"))
               : Result<void>();
  }

  Result<void> copy_groups(const CopyPlan& plan) {
    if (!plan.keeps_offsets() || options_.groups == Groups::none ||
        (options_.groups == Groups::missing && engines::is_elsewhere(options_.target))) {
      return {};
    }
    const Offset end = target_->end();
    for (const auto& [group, next] : source_->group_offsets().all()) {
      eventlog::GroupOffsets& groups = target_->group_offsets();
      if (options_.groups == Groups::all || !groups.committed(group)) {
        VIBES_TRY(groups.commit(group, std::min(next, end)));
        ++groups_;
      }
    }
    return {};
  }

  void tell(const CopyPlan& plan, std::uint64_t same, double seconds) {
    const std::uint64_t before = same - plan.events();
    std::string text =
        fmt::format("copied {} ({} to {}), {} in {:.1f} s; verified", counted(plan.events()),
                    grouped(plan.to.value()), grouped((plan.to + plan.events()).value()),
                    mebibytes(copier_->bytes()), seconds);
    if (before > 0) {
      text += fmt::format(", with {} that had been there", grouped(before));
    }
    session_.report.note(text);
    if (groups_ > 0) {
      session_.report.note(
          fmt::format("copied the offsets of {} group{}", groups_, groups_ == 1 ? "" : "s"));
    }
    if (!plan.keeps_offsets()) {
      session_.report.note(fmt::format("offsets are other ones in DST: event {} of SRC is {} there",
                                       plan.from.value(), plan.to.value()));
    } else if (source_->log_id() != target_->log_id()) {
      session_.report.note("offsets are the same in DST; cursors are not, for they name their log");
    }
  }

  ExitCode report(const Error& error) {
    if (error.code == CopyErrc::interrupted) {
      session_.report.note(
          fmt::format("stopped after {}, which stay in DST; the same command "
                      "goes on from there",
                      counted(copier_->copied())));
      return ExitCode::failure;
    }
    const ExitCode code = report_error(session_, error);
    const bool is_nats =
        options_.target.starts_with("nats:") || options_.target.starts_with("tls:");
    if (error.code == eventlog::Errc::batch_too_large && is_nats) {
      session_.report.hint("raise max_payload of the NATS servers; 2MB takes every event");
    }
    if (copier_ && copier_->copied() > 0 && error.code.category() != copy_error_category()) {
      session_.report.hint(fmt::format("{} {} copied; the same command goes on from there",
                                       counted(copier_->copied()),
                                       copier_->copied() == 1 ? "was" : "were"));
    }
    return exit_code_of_copy(error, code);
  }

  Result<void> close() {
    Result<void> closed;
    if (target_) {
      closed = target_->close();
    }
    if (source_ && closed) {
      closed = source_->close();
    }
    target_.reset();
    source_.reset();
    return closed;
  }

  Session& session_;
  const LogCopyOptions& options_;
  Brake& brake_;
  std::optional<Scratch> source_scratch_;
  std::optional<Scratch> target_scratch_;
  std::unique_ptr<eventlog::EventLog> source_;
  std::unique_ptr<eventlog::CopyTarget> target_;
  std::optional<LogCopier> copier_;
  std::optional<ProgressBar> progress_;
  std::uint64_t groups_ = 0;
};

}  // namespace

ExitCode log_copy(Session& session, const LogCopyOptions& options) {
  auto brake = Brake::make();
  if (!brake) {
    return report_error(session, brake.error());
  }
  const ExitCode code = LogCopy(session, options, **brake).run();
  engines::close_libraries();
  if (const int signal = (*brake)->signal(); signal != 0 && code != ExitCode::ok) {
    brake->reset();
    cli::die_of(signal);
  }
  return code;
}

}  // namespace vibes::ctl
