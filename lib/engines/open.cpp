// SPDX-License-Identifier: MIT
#include "engines/open.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "eventlog/iggy/make_stream.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/nats/nats_stream.hpp"
#include "eventlog/nats/options.hpp"
#include "eventlog/remote/remote_event_log.hpp"

namespace vibes::engines {
namespace {

constexpr std::array<std::string_view, 2> kNats{"nats://", "tls://"};

bool has_one_of(std::string_view url, std::span<const std::string_view> schemes) {
  return std::ranges::any_of(schemes,
                             [url](std::string_view scheme) { return url.starts_with(scheme); });
}

Result<std::unique_ptr<eventlog::CopyTarget>> open_remote(
    std::unique_ptr<eventlog::remote::RemoteStream> stream, const eventlog::LogOptions& options) {
  VIBES_TRY_ASSIGN(log, eventlog::remote::RemoteEventLog::open(std::move(stream), options));
  return std::unique_ptr<eventlog::CopyTarget>(std::move(log));
}

}  // namespace

Result<std::unique_ptr<eventlog::CopyTarget>> open_log(std::string_view url,
                                                       const eventlog::LogOptions& options) {
  if (has_one_of(url, kNats)) {
    VIBES_TRY_ASSIGN(nats, eventlog::nats::parse_nats_url(url));
    return open_remote(std::make_unique<eventlog::nats::NatsStream>(std::move(nats)), options);
  }
  if (eventlog::iggy::is_iggy_url(url)) {
    VIBES_TRY_ASSIGN(stream, eventlog::iggy::make_stream(url));
    return open_remote(std::move(stream), options);
  }
  return eventlog::open_copy_target(url, options);
}

Result<std::unique_ptr<eventlog::EventLog>> open_to_read(std::string_view url,
                                                         const eventlog::LogOptions& options) {
  if (eventlog::iggy::is_iggy_url(url)) {
    VIBES_TRY_ASSIGN(
        log, engines::open_log(url, options));  // a topic that is missing is made, and is empty
    return std::unique_ptr<eventlog::EventLog>(std::move(log));
  }
  if (!has_one_of(url, kNats)) {
    return eventlog::open_log_read_only(url, options.file_system);
  }
  VIBES_TRY_ASSIGN(nats, eventlog::nats::parse_nats_url(url));
  nats.if_missing = eventlog::nats::NatsOptions::IfMissing::refuse;
  VIBES_TRY_ASSIGN(
      log, open_remote(std::make_unique<eventlog::nats::NatsStream>(std::move(nats)), options));
  return std::unique_ptr<eventlog::EventLog>(std::move(log));
}

bool is_elsewhere(std::string_view url) {
  return has_one_of(url, kNats) || eventlog::iggy::is_iggy_url(url);
}

std::string without_secrets(std::string_view url) {
  if (has_one_of(url, kNats)) {
    const auto nats = eventlog::nats::parse_nats_url(url);
    return nats ? nats->url() : "nats://";
  }
  if (url.starts_with("iggy+")) {
    const auto iggy = eventlog::iggy::parse_iggy_url(url);
    return iggy ? iggy->url() : "iggy+http://";
  }
  return std::string(url);
}

void close_libraries() { eventlog::nats::close_library(); }

}  // namespace vibes::engines
