// SPDX-License-Identifier: MIT
#include "net/metrics_handler.hpp"

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace vibes::net {

namespace {

constexpr double kNsPerSecond = 1e9;

/// Writes one metric after the other: its help, its type, then its samples.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  template <class Value>
  void sample(const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, value);
  }
  /// Group names and states need no escaping: they are [a-z0-9._-].
  template <class Value>
  void sample(std::string_view labels, const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", name_, labels, value);
  }
  template <class Value>
  void single(std::string_view name, std::string_view type, std::string_view help,
              const Value& value) {
    family(name, type, help);
    sample(value);
  }
  std::string take() && { return std::move(text_); }

 private:
  std::string_view name_;
  std::string text_;
};

void add_log(Exposition& out, const Services& services) {
  const eventlog::LogStatus status = services.log.status();
  out.single("vibes_log_writable", "gauge", "1 while the log takes events.",
             status.takes_events() ? 1 : 0);
  out.single("vibes_log_away", "gauge", "1 while the engine of the log cannot be reached.",
             status.state == eventlog::LogStatus::State::away ? 1 : 0);
  out.single("vibes_log_first_offset", "gauge", "The oldest offset kept.",
             services.log.first().value());
  out.single("vibes_log_end_offset", "gauge", "The next offset to be given.",
             services.log.end().value());
  out.single("vibes_log_size_bytes", "gauge", "What the log holds.", status.bytes);
  out.single("vibes_log_segments", "gauge", "Segments of the log.", status.segments);
  out.single("vibes_log_queued_bytes", "gauge", "Appends that wait for the writer.",
             status.queued_bytes);
  out.single("vibes_log_pending_events", "gauge",
             "Events kept for an engine that is away, not in the log yet.", status.pending_events);
  out.single("vibes_log_refused_events_total", "counter",
             "Events acknowledged as pending that the engine never took.", status.refused_events);
  out.single("vibes_log_foreign_messages_total", "counter",
             "Messages in the engine that are no events of this log.", status.foreign_messages);
}

void add_notifications(Exposition& out, const consumers::NotifyCounts& counts) {
  out.family("vibes_notifications_total", "counter", "Notifications by what became of them.");
  out.sample(R"(result="sent")", counts.sent.load());
  out.sample(R"(result="lost")", counts.lost.load());
  out.sample(R"(result="repeated")", counts.repeated.load());
  out.sample(R"(result="too_old")", counts.too_old.load());
}

void add_groups(Exposition& out, const std::vector<consumers::GroupStatus>& groups) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value) {
    out.family(name, type, help);
    for (const consumers::GroupStatus& group : groups) {
      out.sample(fmt::format(R"(group="{}")", group.group), value(group));
    }
  };
  using Group = consumers::GroupStatus;
  each("vibes_consumer_committed_offset", "gauge", "The next offset the group reads.",
       [](const Group& group) { return group.committed.value(); });
  each("vibes_consumer_lag_events", "gauge", "Events the group has not done.",
       [](const Group& group) { return group.lag; });
  each("vibes_consumer_lag_seconds", "gauge", "Age of the oldest event it has not done.",
       [](const Group& group) { return group.lag_seconds; });
  each("vibes_consumer_attempts", "gauge", "Failed tries of the event in hand.",
       [](const Group& group) { return group.attempts; });
  each("vibes_consumer_dead_letters_total", "counter", "Events given up.",
       [](const Group& group) { return group.dead_letters; });
  each("vibes_consumer_members", "gauge", "Members of the group.",
       [](const Group& group) { return group.members; });
  out.family("vibes_consumer_state", "gauge", "1 for the state the group is in.");
  for (const Group& group : groups) {
    out.sample(fmt::format(R"(group="{}",state="{}")", group.group, to_string(group.state)), 1);
  }
}

void add_server(Exposition& out, const Services& services) {
  const session::RegistryHealth sessions = services.sessions.health();
  out.single("vibes_sessions_running", "gauge", "Terminal sessions with a running program.",
             sessions.running);
  out.single("vibes_session_events_lost_total", "counter",
             "Events of sessions that the log never took.", sessions.lost_events);
  out.single("vibes_connections", "gauge", "Open connections.", services.counts.total.load());
  out.single("vibes_firehose_clients", "gauge", "Clients of the firehose.",
             services.broadcaster.clients());
  out.single("vibes_unacknowledged_bytes", "gauge", "Appends of clients that wait for their ack.",
             services.budget.used_bytes());
  out.single("vibes_uptime_seconds", "gauge", "Since the server started.",
             static_cast<double>(services.clock.steady_ns() - services.started_ns) / kNsPerSecond);
  out.family("vibes_build_info", "gauge", "1, with the version of the program.");
  out.sample(fmt::format(R"(version="{}")", services.version), 1);
}

}  // namespace

Response metrics(const Services& services) {
  Exposition out;
  add_log(out, services);
  add_groups(out, services.groups.list());
  add_notifications(out, services.notifier.counts());
  add_server(out, services);
  return {.status = 200,
          .body = std::move(out).take(),
          .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace vibes::net
