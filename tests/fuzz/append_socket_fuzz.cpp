// SPDX-License-Identifier: MIT
// What a producer sends, messages separated by NUL bytes, through the endpoint. Each message is
// answered, in order, and what is acknowledged is in the log.
#include <chrono>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "fuzz/fuzz.hpp"
#include "net/append_socket.hpp"
#include "support/recording_connection.hpp"
#include "support/test_log.hpp"

using namespace vibes;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::TestLog events;
  net::AppendBudget budget;
  net::AppendContext context{events.log(), budget, {}};
  test::RecordingConnection connection;
  const auto endpoint =
      (*net::plan_append_socket(test::TestQuery{{"ids", "1"}}, context))(connection);
  std::string_view script = fuzz::text_of(data, size);
  while (!script.empty()) {
    const std::string_view message = script.substr(0, script.find('\0'));
    script.remove_prefix(std::min(script.size(), message.size() + 1));
    endpoint->on_message(message);
  }
  // Once closed the log has answered everything.
  VIBES_ASSERT(events.log().close().has_value());
  endpoint->on_log_moved();
  connection.settle(*endpoint);
  endpoint->on_log_moved();
  connection.settle(*endpoint);
  std::uint64_t acknowledged = 0;
  std::uint64_t duplicates = 0;
  for (const std::string& text : connection.take_texts()) {
    const auto answer = nlohmann::json::parse(text);
    if (answer.at("type") == "ack") {
      acknowledged += answer.at("count").get<std::uint64_t>();
      duplicates += answer.at("duplicates").get<std::uint64_t>();
    }
  }
  VIBES_ASSERT(Offset(acknowledged - duplicates) == events.log().end());
  VIBES_ASSERT(budget.used_bytes() == 0);
  endpoint->on_close();
  connection.end();
  return 0;
}
