// SPDX-License-Identifier: MIT
#include "hook_answer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "client/errc.hpp"
#include "event/intervention_delivery.hpp"
#include "hooks/hook_answer.hpp"

namespace vibes::ctl {
namespace {

struct Answer {
  std::vector<Uuid> interventions;
  std::string context;
};

/// Nothing: what the server says is not what we know.
std::optional<Answer> read_answer(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  const bool whole = json.is_object() && json.contains("context") && json["context"].is_string() &&
                     json.contains("interventions") && json["interventions"].is_array();
  if (!whole) {
    return std::nullopt;
  }
  Answer answer{{}, json["context"].get<std::string>()};
  for (const auto& text : json["interventions"]) {
    const auto id = text.is_string() ? parse_uuid(text.get<std::string>()) : std::nullopt;
    if (!id) {
      return std::nullopt;
    }
    answer.interventions.push_back(*id);
  }
  return answer.interventions.empty() ? std::nullopt : std::optional(std::move(answer));
}

/// Nothing waits, or nobody says so in time.
std::optional<Answer> ask(client::Producer& producer, const AskingHook& hook,
                          client::Deadline deadline) {
  client::HttpRequest request;
  request.method = "POST";
  request.path = "/api/hooks/answer?session=" + client::percent_encode(hook.session) +
                 "&event=" + to_string(hook.event_id);
  const auto response = producer.ask(request, deadline);
  return response && response->status == 200 ? read_answer(response->body) : std::nullopt;
}

/// Whether all of it was taken: an agent that does not read gets part of it, which it cannot use.
bool say(std::string_view text, client::Deadline deadline) {
  while (!text.empty()) {
    pollfd waiting{STDOUT_FILENO, POLLOUT, 0};
    const auto left = client::left_until(deadline);
    if (left.count() == 0) {
      return false;
    }
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    // No more than a pipe that is ready takes without waiting.
    const ssize_t wrote = ready > 0 ? ::write(STDOUT_FILENO, text.data(),
                                              std::min<std::size_t>(text.size(), PIPE_BUF))
                                    : 0;
    if (ready == 0 || ((ready < 0 || wrote < 0) && errno != EINTR && errno != EAGAIN)) {
      return false;
    }
    text.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  return true;
}

std::vector<event::NewEvent> deliveries_of(const Answer& answer, const AskingHook& hook) {
  std::vector<event::NewEvent> events;
  events.reserve(answer.interventions.size());
  for (const Uuid& intervention : answer.interventions) {
    events.push_back(
        event::make_intervention_delivered({hook.session, intervention, hook.event_id}));
  }
  return events;
}

}  // namespace

Result<void> answer_agent(client::Producer& producer, client::Spool* spool, const AskingHook& hook,
                          client::Deadline deadline) {
  // What is held for longer than the server holds it may be another hook's by then.
  const auto until = std::min(deadline, client::within(limits::kInterventionHeldFor / 2));
  const auto answer = ask(producer, hook, until);
  if (!answer || !say(hooks::context_answer(hook.name, answer->context) + '\n', until)) {
    return {};
  }
  const std::vector<event::NewEvent> deliveries = deliveries_of(*answer, hook);
  // One that the log refuses is there already, from a hook that was given it too.
  auto recorded = producer.deliver_by(deliveries, deadline);
  if (recorded) {
    return {};
  }
  if (spool == nullptr) {
    return fail(std::move(recorded).error());
  }
  return spool->append(deliveries, client::within(limits::kHookSpoolWithin));
}

}  // namespace vibes::ctl
