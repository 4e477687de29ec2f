// SPDX-License-Identifier: MIT
#include "eventlog/iggy/topic_setup.hpp"

#include <array>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "event/base64.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::iggy {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kMessageAnswerBytes = 96 * limits::kMiB;  // one message of any size

/// How a version is told that each message is to be on disk, newest first: a version refuses names
/// that it does not know. Server 0.8 ignores them all. What was achieved is read back.
constexpr std::array<std::string_view, 3> kDurableOptions = {
    R"({"durability":"persisted","messages_required_to_save":"1"})",
    R"({"enforce_fsync":"true","messages_required_to_save":"1"})", ""};

Unexpected refused(const IggyOptions& options, std::string_view what, const HttpAnswer& answer) {
  const std::error_code code =
      answer.status == kForbidden ? Errc::unauthorized : Errc::other_settings;
  return fail(code, fmt::format("{}: {}: {}", options.url(), what, describe(answer)));
}

HttpRequest post(std::string path, std::string body) {
  return {.method = HttpRequest::Method::post, .path = std::move(path), .body = std::move(body)};
}

Result<void> make_stream(Client& client, const IggyOptions& options, const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(found, client.ask({.path = options.stream_path()}, stop));
  if (found.status == kOk) {
    return {};
  }
  if (found.status != kNotFound) {
    return refused(options, "cannot look for the stream", found);
  }
  VIBES_TRY_ASSIGN(made, client.ask(post("/streams", stream_body(options.stream)), stop));
  const bool exists =
      made.status == kOk || made.status == kCreated || parse_error(made.body).id == kStreamExists;
  return exists ? Result<void>() : refused(options, "cannot make the stream", made);
}

Result<void> make_topic(Client& client, const IggyOptions& options, std::string_view topic,
                        const std::stop_token& stop) {
  HttpAnswer last;
  for (const std::string_view durable : kDurableOptions) {
    VIBES_TRY_ASSIGN(
        made,
        client.ask(post(options.stream_path() + "/topics", topic_body(topic, durable)), stop));
    if (made.status == kOk || made.status == kCreated ||
        parse_error(made.body).id == kTopicExists) {
      return {};
    }
    last = std::move(made);
  }
  return refused(options, "cannot make the topic", last);
}

/// What says which topic it is; nothing if there is no first message.
Result<std::optional<std::string>> first_message(Client& client, const IggyOptions& options,
                                                 const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(polled,
                   poll_place(client, options, options.topic, "kind=offset&value=0", 1, stop));
  if (polled.messages.empty()) {
    return std::optional<std::string>();
  }
  const PolledMessage& message = polled.messages.front();
  if (message.offset != 0) {
    return fail(Errc::other_settings,
                options.url() + ": its first message was deleted, which says which topic it is");
  }
  return std::optional(fmt::format("{}-{}", message.id, message.origin_timestamp));
}

Result<std::string> mark(Client& client, const IggyOptions& options, const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(before, first_message(client, options, stop));
  if (before) {
    return *before;
  }
  const std::array<std::string, 1> marker = {
      event::encode_base64(R"({"vibes":1,"note":"the beginning of a log"})")};
  const std::string path = options.topic_path(options.topic) + "/messages";
  VIBES_TRY_ASSIGN(sent, client.ask(post(path, send_body(marker)), stop));
  if (sent.status != kCreated && sent.status != kOk) {
    return refused(options, "cannot write the first message", sent);
  }
  // On disk, so that the topic stays the same one even if later messages do not outlive a crash.
  VIBES_TRY_ASSIGN(flushed, client.ask({.path = path + "/flush/0/true"}, stop));
  static_cast<void>(flushed);
  VIBES_TRY_ASSIGN(after, first_message(client, options, stop));
  return after ? Result<std::string>(*after)
               : fail(Errc::unreachable, options.url() + ": the first message does not come");
}

}  // namespace

Result<std::optional<Topic>> find_topic(Client& client, const IggyOptions& options,
                                        std::string_view topic, const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(answer, client.ask({.path = options.topic_path(topic)}, stop));
  if (answer.status == kNotFound) {
    return std::optional<Topic>();
  }
  if (answer.status != kOk) {
    return refused(options, "cannot look at the topic", answer);
  }
  VIBES_TRY_ASSIGN(found, parse_topic(answer.body));
  return std::optional(std::move(found));
}

Result<Topic> ensure_topic(Client& client, const IggyOptions& options, std::string_view topic,
                           const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(there, find_topic(client, options, topic, stop));
  if (there) {
    return *there;
  }
  VIBES_TRY(make_stream(client, options, stop));
  VIBES_TRY(make_topic(client, options, topic, stop));
  VIBES_TRY_ASSIGN(made, find_topic(client, options, topic, stop));
  return made ? Result<Topic>(*made)
              : fail(Errc::unreachable, options.url() + ": the topic does not come");
}

Result<void> check_topic(const IggyOptions& options, const Topic& topic) {
  const auto differs = [&options](const std::string& how) {
    return fail(Errc::other_settings, options.url() + ": " + how);
  };
  if (topic.partitions != 1) {
    return differs(fmt::format("the topic has {} partitions, a log has 1", topic.partitions));
  }
  // 0 is the server's default, which server 0.8 tells after a restart where it was asked for.
  if (topic.message_expiry && *topic.message_expiry != kNever && *topic.message_expiry != 0) {
    return differs(fmt::format("the topic's messages expire, after {} us; a log's never do",
                               *topic.message_expiry));
  }
  if (topic.max_topic_size && *topic.max_topic_size != kNever && *topic.max_topic_size != 0) {
    return differs(fmt::format("the topic has a largest size, {} bytes; a log has none",
                               *topic.max_topic_size));
  }
  return {};
}

Result<Polled> poll_place(Client& client, const IggyOptions& options, std::string_view topic,
                          std::string_view place, std::size_t count, const std::stop_token& stop) {
  VIBES_TRY_ASSIGN(answer,
                   client.ask({.path = fmt::format("{}/messages?consumer_id=1&partition_id=0&{}"
                                                   "&count={}&auto_commit=false",
                                                   options.topic_path(topic), place, count),
                               .answer_bytes_max = kMessageAnswerBytes},
                              stop));
  if (answer.status != kOk && is_damage(parse_error(answer.body))) {
    return fail(Errc::corrupt, fmt::format("{}: {}", options.url(), describe(answer)));
  }
  if (answer.status != kOk) {
    return refused(options, "cannot read the topic", answer);
  }
  return parse_polled(answer.body);
}

Result<Uuid> identify_topic(Client& client, const IggyOptions& options, const Topic& topic,
                            const std::stop_token& stop) {
  std::string which = std::to_string(topic.created_at);
  if (!topic.has_options) {
    VIBES_TRY_ASSIGN(first, mark(client, options, stop));
    which = std::move(first);
  }
  return name_uuid(kUrlNamespace,
                   fmt::format("iggy:{}#{}", options.topic_path(options.topic), which));
}

}  // namespace vibes::eventlog::iggy
