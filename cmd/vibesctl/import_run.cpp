// SPDX-License-Identifier: MIT
#include "import_run.hpp"

#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/unique_fd.hpp"
#include "cli/parse.hpp"
#include "client/errc.hpp"
#include "client/producer.hpp"
#include "event/errc.hpp"
#include "hooks/import.hpp"
#include "line_source.hpp"
#include "progress_bar.hpp"

namespace vibes::ctl {
namespace {

constexpr std::size_t kBatchBytes = 256 * limits::kKiB;
constexpr std::size_t kBatchEvents = 4'096;

std::string counted(std::uint64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

class Importer {
 public:
  Importer(Session& session, client::Producer producer, std::uint64_t bytes_total)
      : session_(session), producer_(std::move(producer)), progress_(bytes_total) {}

  /// `name` is for messages. An error concerns everything that is left.
  Result<void> import(int fd, const std::string& name) {
    name_ = name;
    ++files_;
    LineSource source(fd);
    for (bool more = true; more;) {
      VIBES_TRY_ASSIGN(lines, source.next(kBatchBytes));
      for (std::size_t i = 0; i < lines.lines.size(); ++i) {
        const bool cut = lines.overlong && i + 1 == lines.lines.size();
        add(lines.lines[i], lines.first_number + i, cut ? Whole::no : Whole::yes);
        if (batch_bytes_ >= kBatchBytes || batch_.size() >= kBatchEvents) {
          VIBES_TRY(flush());
        }
      }
      more = !lines.at_end;
    }
    return flush();
  }

  void refuse_file(const std::string& name, const std::string& why) {
    progress_.clear();
    session_.report.error(name + ": " + why);
    worst_ = ExitCode::failure;
  }

  /// Also after an error, so that it is known how far it got.
  ExitCode finish() {
    progress_.clear();
    std::string text =
        "imported " + counted(imported_, "event") + " from " + counted(files_, "file");
    if (duplicates_ > 0) {
      text += fmt::format("; {} were there already", duplicates_);
    }
    if (pending_ > 0) {
      text += fmt::format("; {} pending, until the engine of the log is back", pending_);
    }
    if (refused_ > 0) {
      text += fmt::format("; {} refused", refused_);
    }
    session_.report.note(text);
    return worst_;
  }

 private:
  enum class Whole : std::uint8_t { no, yes };

  void add(std::string_view line, std::size_t number, Whole whole) {
    bytes_done_ += line.size() + 1;
    if (whole == Whole::no) {
      refuse(number, Error{event::make_error_code(event::Errc::too_large), "the line"});
      return;
    }
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      return;
    }
    auto event = hooks::import_line(line);
    if (!event) {
      refuse(number, event.error());
      return;
    }
    batch_bytes_ += event->payload.size();
    batch_.push_back(*std::move(event));
    numbers_.push_back(number);
  }

  void refuse(std::size_t number, const Error& why) {
    progress_.clear();
    session_.report.error(fmt::format("{}: line {}: {}", name_, number, why.message()));
    ++refused_;
    worst_ = why.code == client::make_error_code(client::Errc::conflict) ? ExitCode::conflict
                                                                         : ExitCode::event_rejected;
  }

  Result<void> flush() {
    if (!batch_.empty()) {
      VIBES_TRY_ASSIGN(receipts, producer_.deliver(batch_));
      std::uint64_t taken = 0;
      for (std::size_t i = 0; i < receipts.size(); ++i) {
        if (receipts[i].refusal) {
          refuse(numbers_[i], *receipts[i].refusal);
        } else {
          ++taken;
          pending_ += receipts[i].fate == client::Receipt::Fate::pending ? 1U : 0U;
        }
      }
      duplicates_ += producer_.duplicates();
      imported_ += taken - producer_.duplicates();
    }
    batch_.clear();
    numbers_.clear();
    batch_bytes_ = 0;
    progress_.show(bytes_done_, counted(imported_ + duplicates_, "event"));
    return {};
  }

  Session& session_;
  client::Producer producer_;
  ProgressBar progress_;
  std::string name_;
  std::vector<event::NewEvent> batch_;
  std::vector<std::size_t> numbers_;
  std::size_t batch_bytes_ = 0;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t imported_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t pending_ = 0;
  std::uint64_t refused_ = 0;
  ExitCode worst_ = ExitCode::ok;
};

/// 0 where it cannot be known.
std::uint64_t bytes_of(const std::vector<std::string>& files) {
  std::uint64_t bytes = 0;
  for (const std::string& file : files) {
    std::error_code error;
    const auto size = file == "-" ? 0 : std::filesystem::file_size(file, error);
    if (file == "-" || error) {
      return 0;
    }
    bytes += size;
  }
  return bytes;
}

Result<void> import_files(Importer& importer, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (file == "-") {
      VIBES_TRY(importer.import(STDIN_FILENO, "standard input"));
      continue;
    }
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
      importer.refuse_file(file, std::error_code(errno, std::system_category()).message());
      continue;
    }
    VIBES_TRY(importer.import(fd.get(), file));
  }
  return {};
}

}  // namespace

ExitCode run_import(Session& session, const ImportOptions& options) {
  const auto timeout = cli::parse_duration(options.timeout);
  auto target = find_target(session);
  if (!timeout || !target) {
    return report_error(session, timeout ? target.error() : timeout.error());
  }
  client::ProducerOptions producer;
  producer.timeout = *timeout;
  Importer importer(session, client::Producer(*std::move(target), std::nullopt, producer),
                    bytes_of(options.files));
  const auto done = import_files(importer, options.files);
  const ExitCode partial = importer.finish();
  return done ? partial : report_error(session, done.error());
}

}  // namespace vibes::ctl
