// SPDX-License-Identifier: MIT
#include "eventlog/nats/stream_setup.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/failure.hpp"

namespace vibes::eventlog::nats {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kDuplicateWindow{120};

std::int64_t in_ns(std::chrono::seconds time) { return std::chrono::nanoseconds(time).count(); }

std::string subject_filter(const NatsOptions& options) { return options.subject + ".>"; }

std::string name_of(const NatsOptions& options) { return "stream " + options.stream; }

Unexpected other_settings(const NatsOptions& options, std::string_view difference) {
  return fail(make_error_code(Errc::other_settings),
              fmt::format("{}: {}", name_of(options), difference));
}

std::string subjects_of(const jsStreamConfig& config) {
  std::string text;
  for (int i = 0; i < config.SubjectsLen; ++i) {
    text += (i == 0 ? "" : ",") + std::string(config.Subjects[i]);
  }
  return text;
}

Result<void> check_kind(const jsStreamConfig& is, const NatsOptions& asked) {
  if (const std::string subjects = subjects_of(is); subjects != subject_filter(asked)) {
    return other_settings(
        asked, fmt::format("subjects {}, asked for {}", subjects, subject_filter(asked)));
  }
  if (is.Mirror != nullptr || is.SourcesLen > 0) {
    return other_settings(asked, "it mirrors another stream");
  }
  if (is.Storage != js_FileStorage) {
    return other_settings(asked, "storage memory, asked for file");
  }
  if (is.Retention != js_LimitsPolicy) {
    return other_settings(asked, "retention interest or workqueue, asked for limits");
  }
  if (is.NoAck) {
    return other_settings(asked, "no_ack: it acknowledges nothing");
  }
  if (is.Sealed) {
    return other_settings(asked, "sealed: it takes no more");
  }
  if (is.MaxMsgsPerSubject > 0) {
    return other_settings(
        asked, fmt::format("max_msgs_per_subject {}: it would forget the events of long sessions",
                           is.MaxMsgsPerSubject));
  }
  return {};
}

Result<void> check_limits(const jsStreamConfig& is, const NatsOptions& asked) {
  if (is.Replicas < asked.replicas) {
    return other_settings(asked,
                          fmt::format("replicas {}, asked for {}", is.Replicas, asked.replicas));
  }
  if (asked.max_bytes && is.MaxBytes != static_cast<std::int64_t>(*asked.max_bytes)) {
    return other_settings(asked,
                          fmt::format("max_bytes {}, asked for {}", is.MaxBytes, *asked.max_bytes));
  }
  if (asked.max_age && is.MaxAge != in_ns(*asked.max_age)) {
    return other_settings(asked, fmt::format("max_age {} s, asked for {} s",
                                             is.MaxAge / 1'000'000'000, asked.max_age->count()));
  }
  if (asked.duplicate_window && is.Duplicates != in_ns(*asked.duplicate_window)) {
    return other_settings(
        asked, fmt::format("duplicate_window {} s, asked for {} s", is.Duplicates / 1'000'000'000,
                           asked.duplicate_window->count()));
  }
  return {};
}

/// What may pass while a server or a cluster starts.
bool may_pass(natsStatus status, int js_error) {
  switch (js_error) {
    case 0:
      return status == NATS_NO_RESPONDERS || status == NATS_TIMEOUT ||
             status == NATS_CONNECTION_DISCONNECTED || status == NATS_INSUFFICIENT_BUFFER;
    case JSClusterNotAvailErr:
    case JSClusterNotLeaderErr:
    case JSClusterIncompleteErr:
    case JSClusterNoPeersErr:
      return true;
    default:
      return false;
  }
}

struct Asked {
  NatsPtr<jsStreamInfo> info;
  natsStatus status = NATS_OK;
  jsErrCode js_error{};
};

/// Not longer than a request may take, nor than is left.
std::int64_t wait_ms(Deadline until) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
  return std::clamp(left, milliseconds(1), limits::kEngineRequestWithin).count();
}

Asked make_stream(jsCtx* jetstream, const NatsOptions& options, Deadline until) {
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const std::string filter = subject_filter(options);
  const char* subjects[] = {filter.c_str()};
  config.Name = options.stream.c_str();
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  config.Retention = js_LimitsPolicy;
  config.Replicas = options.replicas;
  // An engine that is full says so; the oldest events are not the price of the newest.
  config.Discard = js_DiscardNew;
  if (options.max_bytes) {
    config.MaxBytes = static_cast<std::int64_t>(*options.max_bytes);
  }
  if (options.max_age) {
    config.MaxAge = in_ns(*options.max_age);
  }
  auto window = options.duplicate_window.value_or(kDuplicateWindow);
  if (options.max_age && !options.duplicate_window) {
    window = std::min(window, *options.max_age);  // the server takes no longer one
  }
  config.Duplicates = in_ns(window);
  jsOptions request;
  jsOptions_Init(&request);
  request.Wait = wait_ms(until);
  Asked asked;
  asked.status = js_AddStream(Out(asked.info), jetstream, &config, &request, &asked.js_error);
  return asked;
}

Asked ask(jsCtx* jetstream, const NatsOptions& options, Deleted deleted, Deadline until) {
  jsOptions request;
  jsOptions_Init(&request);
  request.Wait = wait_ms(until);
  request.Stream.Info.DeletedDetails = deleted == Deleted::listed;
  Asked asked;
  asked.status = js_GetStreamInfo(Out(asked.info), jetstream, options.stream.c_str(), &request,
                                  &asked.js_error);
  return asked;
}

bool is_missing(const Asked& asked) {
  return asked.status == NATS_NOT_FOUND || asked.js_error == JSStreamNotFoundErr;
}

/// A server that refuses to make the stream says which setting it does not like.
Unexpected not_made(const NatsOptions& options, const Asked& asked) {
  return fail(make_error_code(Errc::other_settings),
              fmt::format("{} cannot be made: {} ({})", name_of(options), text_of(asked.status),
                          static_cast<int>(asked.js_error)));
}

/// A server that does not let us ask drops the request and says so beside it.
bool is_forbidden(const Connection& connection) {
  const char* last = nullptr;
  return natsConnection_GetLastError(connection.get(), &last) == NATS_NOT_PERMITTED;
}

Unexpected gave_up(const Connection& connection, const NatsOptions& options, const Asked& asked) {
  const char* last = nullptr;
  (void)natsConnection_GetLastError(connection.get(), &last);
  if (is_forbidden(connection)) {
    return fail(make_error_code(Errc::unauthorized),
                fmt::format("{}: {}", options.addresses(), last == nullptr ? "" : last));
  }
  if (asked.status == NATS_NO_RESPONDERS) {
    return fail(make_error_code(Errc::unreachable),
                fmt::format("{}: JetStream does not answer; is it on (nats-server -js)?",
                            options.addresses()));
  }
  return request_failed(name_of(options), asked.status, asked.js_error);
}

}  // namespace

Result<NatsPtr<jsStreamInfo>> find_stream(jsCtx* jetstream, const NatsOptions& options,
                                          Deleted deleted) {
  Asked asked = ask(jetstream, options, deleted, steady_clock::now() + kQuestionWithin);
  if (is_missing(asked)) {
    return NatsPtr<jsStreamInfo>();
  }
  if (asked.status != NATS_OK) {
    return request_failed(name_of(options), asked.status, asked.js_error);
  }
  return std::move(asked.info);
}

Result<NatsPtr<jsStreamInfo>> ensure_stream(Connection& connection, const NatsOptions& options,
                                            Deadline until) {
  for (;;) {
    Asked asked = ask(connection.jetstream(), options, Deleted::unasked, until);
    if (is_missing(asked) && options.if_missing == NatsOptions::IfMissing::refuse) {
      return fail(make_error_code(Errc::not_found), name_of(options));
    }
    if (is_missing(asked)) {
      asked = make_stream(connection.jetstream(), options, until);
      // Someone else may make it at the same time; then it is there the next time.
      if (asked.status != NATS_OK && !may_pass(asked.status, asked.js_error) &&
          asked.js_error != JSStreamNameExistErr) {
        return asked.js_error != 0 ? not_made(options, asked)
                                   : request_failed(name_of(options), asked.status);
      }
    }
    if (asked.status == NATS_OK) {
      VIBES_TRY(check_settings(*asked.info->Config, options));
      return std::move(asked.info);
    }
    const bool again = (may_pass(asked.status, asked.js_error) && !is_forbidden(connection)) ||
                       asked.js_error == JSStreamNameExistErr;
    if (!again || steady_clock::now() + limits::kEngineRetryFirst >= until) {
      return gave_up(connection, options, asked);
    }
    connection.pause(steady_clock::now() + limits::kEngineRetryFirst, {});
  }
}

Result<void> check_settings(const jsStreamConfig& is, const NatsOptions& asked) {
  VIBES_TRY(check_kind(is, asked));
  return check_limits(is, asked);
}

Uuid log_id_of(const NatsOptions& options, const jsStreamInfo& info) {
  return name_uuid(kUrlNamespace,
                   fmt::format("urn:vibes:nats:{}:{}", options.stream, info.Created));
}

}  // namespace vibes::eventlog::nats
