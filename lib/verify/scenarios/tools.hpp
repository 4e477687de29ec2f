// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "client/http_client.hpp"
#include "verify/checker.hpp"
#include "verify/stage.hpp"

namespace vibes::verify {

/// GET `path`, and the JSON of its 2xx answer.
Result<nlohmann::json> get_json(const client::Target& target, const std::string& path,
                                client::Deadline deadline);
/// POST `body` to /api/events. Any status is a success.
Result<client::HttpResponse> post_events(const client::Target& target, std::string body,
                                         const std::string& content_type,
                                         client::Deadline deadline);

/// The next offset the log will assign, as /api/health has it.
Result<Offset> log_end(const client::Target& target, client::Deadline deadline);

/// Asks `is_so` again and again, 10 ms apart, until it says yes. Errors: Errc::timeout with `what`
/// was awaited, or the error of `is_so`.
Result<void> wait_until(const std::string& what, client::Deadline deadline,
                        const std::function<Result<bool>()>& is_so);

/// Makes a check of something that comes by itself again and again, 10 ms apart, until it passes;
/// its failure at the deadline is the outcome.
CheckOutcome until_passed(client::Deadline deadline, const std::function<CheckOutcome()>& check);

/// The list of a scenario's checks: its own `steps`, then those of a verdict that it claims.
std::vector<std::string> steps_and(std::vector<std::string> steps,
                                   const std::vector<Check>& checks);
/// The end of a scenario: checks its history, reports the figures that are worth reading and
/// `checks` as claims, each under its name (to_string(Check)), and leaves the history to the stage.
void judge_history(Stage& stage, History history, const std::vector<Check>& checks);

/// `text` cut to what a person wants to see in an error message.
std::string excerpt(std::string_view text);

}  // namespace vibes::verify
