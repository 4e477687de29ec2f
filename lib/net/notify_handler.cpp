// SPDX-License-Identifier: MIT
#include "net/notify_handler.hpp"

#include <nlohmann/json.hpp>

namespace vibes::net {
namespace {

using nlohmann::json;

Response results_response(const std::vector<consumers::ChannelResult>& results) {
  if (results.empty()) {
    return error_response(503, "not_configured", "no channel for notifications is configured");
  }
  json channels = json::array();
  for (const consumers::ChannelResult& result : results) {
    channels.push_back({{"channel", result.channel},
                        {"result", consumers::to_string(result.delivered.kind)},
                        {"attempts", result.delivered.attempts},
                        {"detail", result.delivered.detail}});
  }
  return {.body = json{{"channels", std::move(channels)}}.dump()};
}

}  // namespace

void send_test(consumers::Notifier& notifier, const Responder& to) {
  notifier.send(consumers::test_notification(),
                [to](const std::vector<consumers::ChannelResult>& results) {
                  to.send(results_response(results));
                });
}

}  // namespace vibes::net
