// SPDX-License-Identifier: MIT
#include "ask.hpp"

namespace vibes::ctl {
namespace {

constexpr std::chrono::milliseconds kAskWithin{30'000};

}  // namespace

ExitCode ask(Session& session, const client::HttpRequest& request,
             const std::function<void(const std::string& body)>& print) {
  const auto target = find_target(session);
  if (!target) {
    return report_query_error(session, target.error());
  }
  const auto answer = client::HttpClient(*target).send_ok(request, client::within(kAskWithin));
  if (!answer) {
    return report_query_error(session, answer.error());
  }
  print(answer->body);
  return ExitCode::ok;
}

}  // namespace vibes::ctl
