// SPDX-License-Identifier: MIT
#include "hook_run.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/paths.hpp"
#include "cli/parse.hpp"
#include "client/errc.hpp"
#include "client/producer.hpp"
#include "hook_answer.hpp"
#include "hooks/hook_answer.hpp"
#include "hooks/hook_event.hpp"

namespace vibes::ctl {
namespace {

using std::chrono::milliseconds;

bool has_input(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(limits::kHookSilenceMax.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

/// Everything until the end, the limit or a long silence: an agent may keep the pipe open.
std::string read_payload(int fd) {
  constexpr std::size_t kReadBytes = 64 * limits::kKiB;
  std::string payload;
  while (::isatty(fd) == 0 && payload.size() < limits::kHookPayloadBytesMax && has_input(fd)) {
    const std::size_t before = payload.size();
    payload.resize(before + kReadBytes);
    const ssize_t got = ::read(fd, payload.data() + before, kReadBytes);
    payload.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
      break;
    }
  }
  return payload;
}

std::string terminal_session() {
  const char* session = std::getenv("VIBES_SESSION_ID");  // NOLINT(concurrency-mt-unsafe)
  return session == nullptr ? std::string() : session;
}

milliseconds time_for_server(Session& session, const HookOptions& options) {
  if (options.timeout.empty()) {
    return limits::kHookWithin;
  }
  const auto timeout = cli::parse_duration(options.timeout);
  if (!timeout) {
    session.report.warning(timeout.error().message());
  }
  return timeout ? *timeout : limits::kHookWithin;
}

/// The one call, on its way to the log.
class HookRecord {
 public:
  HookRecord(Session& session, hooks::HookEvents events)
      : session_(session), name_(std::move(events.name)), hook_(std::move(events.hook)) {
    if (events.link) {
      batch_.push_back(*std::move(events.link));
    }
    batch_.push_back(hook_);
  }

  /// Error: the log does not have it, or may not have it.
  Result<void> send(std::optional<client::Spool> spool, client::Deadline deadline) {
    VIBES_TRY_ASSIGN(target, find_target(session_));
    client::Producer& producer =
        producer_.emplace(std::move(target), std::move(spool), client::ProducerOptions{});
    VIBES_TRY_ASSIGN(receipts, producer.deliver_by(batch_, deadline));
    const auto& refusal = receipts.back().refusal;
    if (refusal && refusal->code == client::make_error_code(client::Errc::conflict)) {
      batch_.back().event_id = hooks::id_by_content(hook_);
      VIBES_TRY_ASSIGN(again, producer.deliver_by({&batch_.back(), 1}, deadline));
      return again.back().refusal ? fail(*again.back().refusal) : Result<void>();
    }
    return refusal ? fail(*refusal) : Result<void>();
  }

  /// Once it was sent: what the server has for the agent. Few hooks may carry any, and the others
  /// do not ask. Errors: it was said and could not be recorded.
  Result<void> answer(client::Spool* spool, client::Deadline deadline) {
    if (hook_.session.empty() || !hooks::carries_context(name_)) {
      return {};
    }
    return answer_agent(*producer_, spool, {name_, hook_.session, *batch_.back().event_id},
                        deadline);
  }

  Result<void> keep(client::Spool spool) {
    const auto deadline = client::within(limits::kHookSpoolWithin);
    auto kept = spool.append(batch_, deadline);
    if (!kept && kept.error().code == client::make_error_code(client::Errc::spool_full)) {
      VIBES_TRY(spool.count_lost(1, system_clock().now(), deadline));
    }
    return kept;
  }

 private:
  Session& session_;
  std::string name_;
  event::NewEvent hook_;
  std::vector<event::NewEvent> batch_;
  std::optional<client::Producer> producer_;
};

/// A program that runs an agent for a purpose of its own may not want it recorded.
bool is_switched_off() {
  const char* hooks = std::getenv("VIBES_HOOKS");  // NOLINT(concurrency-mt-unsafe)
  return hooks != nullptr && std::string_view(hooks) == "off";
}

void record(Session& session, const HookOptions& options) {
  // Read in any case: an agent may not bear a pipe that is closed on it.
  const std::string payload = read_payload(STDIN_FILENO);
  if (is_switched_off()) {
    return;
  }
  const auto deadline = client::within(time_for_server(session, options));
  const std::string terminal = terminal_session();
  const Uuid id = UuidV7Generator().next(system_clock().now());
  HookRecord record(session,
                    hooks::make_events({.payload = payload, .session = terminal, .id = id}));
  const auto paths = default_paths();
  std::optional<client::Spool> spool;
  if (paths) {
    spool.emplace(paths->spool());
  }
  const auto sent = record.send(spool, deadline);
  if (sent) {
    if (const auto told = record.answer(spool ? &*spool : nullptr, deadline); !told) {
      session.report.error("an intervention may be given again: " + told.error().message());
    }
    return;
  }
  const auto kept = paths ? record.keep(*spool) : Result<void>(fail(paths.error()));
  if (!kept) {
    session.report.error("a hook is lost: " + sent.error().message() + "; " +
                         kept.error().message());
  }
}

}  // namespace

void outlive_agent() {
  for (const int number : {SIGPIPE, SIGINT, SIGHUP, SIGTERM, SIGXFSZ}) {
    (void)::signal(number, SIG_IGN);
  }
}

ExitCode run_hook(Session& session, const HookOptions& options) {
  try {
    record(session, options);
  } catch (const std::exception& error) {
    session.report.error(std::string("a hook is lost: ") + error.what());
  }
  return ExitCode::ok;
}

}  // namespace vibes::ctl
