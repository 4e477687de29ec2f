// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "eventlog/nats/connection.hpp"
#include "eventlog/nats/handles.hpp"
#include "eventlog/nats/options.hpp"

namespace vibes::eventlog::nats {

/// How long a question that can be asked again waits for its answer: while a cluster elects a
/// leader none comes, and whoever asks only then hears from the new one soon.
inline constexpr std::chrono::milliseconds kQuestionWithin{2'000};

/// Asks for the stream; nothing (null) if there is none. Errors: Errc::unreachable, unauthorized.
enum class Deleted : std::uint8_t { unasked, listed };
Result<NatsPtr<jsStreamInfo>> find_stream(jsCtx* jetstream, const NatsOptions& options,
                                          Deleted deleted = Deleted::unasked);

/// Makes the stream if it is missing (or refuses: NatsOptions::if_missing), as soon as JetStream
/// answers, and checks what it is like. Errors: Errc::unreachable after `until`, unauthorized,
/// other_settings, not_found.
Result<NatsPtr<jsStreamInfo>> ensure_stream(Connection& connection, const NatsOptions& options,
                                            Deadline until);

/// Errors: Errc::other_settings, naming the difference.
Result<void> check_settings(const jsStreamConfig& is, const NatsOptions& asked);

/// Of this stream, not of one that was of that name before it.
Uuid log_id_of(const NatsOptions& options, const jsStreamInfo& info);

}  // namespace vibes::eventlog::nats
