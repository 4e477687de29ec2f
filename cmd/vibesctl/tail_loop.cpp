// SPDX-License-Identifier: MIT
#include "tail_loop.hpp"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "client/errc.hpp"

namespace vibes::ctl {
namespace {

constexpr std::chrono::milliseconds kSendWithin{10'000};
constexpr std::chrono::milliseconds kGoodbyeWithin{2'000};

bool is(const Error& error, client::Errc code) {
  return error.code == client::make_error_code(code);
}

}  // namespace

TailLoop::TailLoop(Session& session, const TailOptions& options, const TailPlan& plan,
                   client::TailClient& client, const cli::Interrupts& interrupts,
                   EventPrinter printer)
    : session_(session),
      options_(options),
      plan_(plan),
      client_(client),
      interrupts_(interrupts),
      printer_(std::move(printer)),
      output_(STDOUT_FILENO, interrupts),
      left_(plan.count.value_or(UINT64_MAX)) {
  if (options.cursor_file) {
    cursor_file_.emplace(*options.cursor_file);
  }
  if (options.exec) {
    exec_.emplace(*options.exec, client, interrupts, session.report);
  }
  if (plan.timeout) {
    timeout_at_ = client::within(*plan.timeout);
  }
}

ExitCode TailLoop::run() {
  if (left_ == 0) {
    return ExitCode::ok;
  }
  while (!stop_) {
    step();
  }
  finish();
  return *stop_ == ExitCode::ok && saw_gap_ ? ExitCode::gap : *stop_;
}

void TailLoop::step() {
  auto message = client_.next(next_deadline());
  if (interrupts_.happened()) {
    stop(ExitCode::ok);
  } else if (message) {
    std::visit([this](const auto& got) { on(got); }, *message);
  } else {
    on_error(message.error());
  }
}

client::Deadline TailLoop::next_deadline() const { return std::min(timeout_at_, idle_at_); }

void TailLoop::on_error(const Error& error) {
  const auto now = std::chrono::steady_clock::now();
  if (is(error, client::Errc::woken)) {
    return;
  }
  if (is(error, client::Errc::timed_out)) {
    if (now >= timeout_at_) {
      stop(ExitCode::timeout);
    } else if (now >= idle_at_) {
      stop(ExitCode::ok);
    }
    return;
  }
  stop(report_query_error(session_, error));
}

void TailLoop::on(const client::Hello& hello) {
  printer_.set_log_id(hello.log_id);
  if (hello.again && lost_said_) {
    session_.report.note("connected again");
  }
  lost_said_ = false;
  answers_due_ = 0;
  if (std::exchange(shared_, false)) {
    done_.reset();  // what lies before it may have been another member's
  }
  if (plan_.stop_at_end && !end_) {
    end_ = hello.end;
  }
  if (plan_.idle) {
    idle_at_ = client::within(*plan_.idle);
  }
  say_ready();
}

void TailLoop::on(const client::Events& events) {
  auto taken = events.events;
  // After a reconnect a group begins at its commit; what this process has done since is not done
  // again.
  while (done_ && !taken.empty() && taken.front().offset < *done_) {
    taken = taken.subspan(1);
  }
  taken = taken.first(std::min<std::size_t>(taken.size(), left_));
  if (taken.empty()) {
    return;
  }
  if (exec_) {
    execute(taken);
  } else {
    print(taken);
  }
  if (plan_.idle) {
    idle_at_ = client::within(*plan_.idle);
  }
  if (left_ == 0 && !stop_) {
    stop(ExitCode::ok);
  }
  stop_if_at_end(taken.back().offset + 1);
}

void TailLoop::stop_if_at_end(Offset next) {
  if (end_ && next >= *end_ && !stop_) {
    stop(ExitCode::ok);
  }
}

void TailLoop::print(std::span<const client::TailEvent> events) {
  std::string lines;
  if (cli::is_terminal(STDOUT_FILENO)) {
    printer_.set_columns(cli::terminal_columns(STDOUT_FILENO));
  }
  for (const client::TailEvent& event : events) {
    printer_.append(lines, event);
  }
  const auto outcome = output_.write(lines);
  if (!outcome) {
    session_.report.error(outcome.error());
    stop(ExitCode::io_error);
  } else if (*outcome != cli::Output::Outcome::written) {
    stop(ExitCode::ok);
  } else {
    left_ -= events.size();
    done_up_to(events.back());
  }
}

void TailLoop::execute(std::span<const client::TailEvent> events) {
  for (const client::TailEvent& event : events) {
    const auto outcome = exec_->handle(event);
    if (!outcome) {
      stop(report_query_error(session_, outcome.error()));
      return;
    }
    if (*outcome == GroupExec::Outcome::interrupted) {
      stop(ExitCode::ok);
      return;
    }
    --left_;
    if (*outcome == GroupExec::Outcome::rejected) {
      done_ = event.offset + 1;
      ++answers_due_;
    } else {
      done_up_to(event);
    }
    if (stop_) {
      return;
    }
  }
}

void TailLoop::done_up_to(const client::TailEvent& event) {
  if (is_group()) {
    done_ = event.offset + 1;
    ++answers_due_;
    const auto sent = client_.commit(*done_, client::within(kSendWithin));
    if (!sent && !is(sent.error(), client::Errc::woken)) {
      stop(report_query_error(session_, sent.error()));
    }
  } else {
    save_cursor(client_.cursor_after(event));
  }
}

void TailLoop::on(const client::PositionReport& position) {
  if (!is_group()) {
    save_cursor(client_.cursor());
  }
  const bool more_comes = position.offset >= position.end && !position.caught_up;
  if (!more_comes) {
    stop_if_at_end(position.offset);
  }
}

void TailLoop::on(const client::GapReport& gap) {
  saw_gap_ = true;
  session_.report.warning(fmt::format("events {} to {} are gone{}", gap.from.value(),
                                      gap.to.value(),
                                      gap.reason.empty() ? "" : " (" + gap.reason + ")"));
}

// What it says is the group's commit, which other members may hold back.
void TailLoop::on(const client::Committed& /*committed*/) {
  answers_due_ -= answers_due_ > 0 ? 1 : 0;
}

void TailLoop::on(const client::Assigned& /*assigned*/) {
  shared_ = true;
  done_.reset();
}

void TailLoop::on(const client::Ended& /*ended*/) { stop(ExitCode::ok); }

void TailLoop::on(const client::Lost& lost) {
  answers_due_ = 0;
  if (!std::exchange(lost_said_, true)) {
    session_.report.note(lost.error.message() + "; trying again");
  }
}

void TailLoop::save_cursor(const std::string& cursor) {
  cursor_ = cursor;
  if (cursor_file_) {
    if (const auto saved = cursor_file_->save(cursor_); !saved) {
      stop(report_query_error(session_, saved.error()));
    }
  }
}

void TailLoop::say_ready() {
  if (!options_.ready_fd || std::exchange(ready_said_, true)) {
    return;
  }
  constexpr std::string_view kReady = "ready\n";
  if (::write(*options_.ready_fd, kReady.data(), kReady.size()) < 0) {
    session_.report.warning("cannot write to the descriptor of --ready-fd");
  }
  (void)::close(*options_.ready_fd);
}

/// A commit is only queued until the server says that it is durable.
void TailLoop::await_commit() {
  const client::Deadline deadline = client::within(kGoodbyeWithin);
  while (answers_due_ > 0) {
    const auto message = client_.next(deadline);
    if (message && std::holds_alternative<client::Committed>(*message)) {
      --answers_due_;
      continue;
    }
    const bool over = message ? std::holds_alternative<client::Lost>(*message) ||
                                    std::holds_alternative<client::Ended>(*message)
                              : !is(message.error(), client::Errc::woken);
    if (over) {
      return;
    }
  }
}

void TailLoop::finish() {
  if (is_group()) {
    await_commit();
  }
  if (cursor_file_) {
    if (const auto synced = cursor_file_->sync(); !synced) {
      session_.report.error(synced.error());
    }
  }
  if (options_.show_cursor && !cursor_.empty()) {
    std::cerr << "-- cursor: " << cursor_ << std::endl;
  }
  if (!interrupts_.happened()) {
    client_.close(client::within(kGoodbyeWithin));
  }
}

}  // namespace vibes::ctl
