// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "eventlog/iggy/client.hpp"
#include "eventlog/iggy/options.hpp"
#include "eventlog/iggy/wire.hpp"

namespace vibes::eventlog::iggy {

/// Makes the stream and a topic of it where they are missing: one partition, nothing expires, and
/// each message on disk before its send is answered, in versions in which a topic can say so.
/// Errors: unreachable, unauthorized, other_settings.
Result<Topic> ensure_topic(Client& client, const IggyOptions& options, std::string_view topic,
                           const std::stop_token& stop);

/// Nothing if there is no such topic.
Result<std::optional<Topic>> find_topic(Client& client, const IggyOptions& options,
                                        std::string_view topic, const std::stop_token& stop);

/// Whether it can hold a log. Errors: other_settings, naming the difference.
Result<void> check_topic(const IggyOptions& options, const Topic& topic);

/// One page of the topic from where `place` says ("kind=offset&value=0") on. Errors: also
/// Errc::corrupt (is_damage()).
Result<Polled> poll_place(Client& client, const IggyOptions& options, std::string_view topic,
                          std::string_view place, std::size_t count, const std::stop_token& stop);

/// The same for all who see this topic, and for no other of the same name. Server 0.8 tells
/// another `created_at` after a restart, so there the topic's first message says which it is; an
/// empty topic gets one for that. Errors: of the server; other_settings (its beginning is gone).
Result<Uuid> identify_topic(Client& client, const IggyOptions& options, const Topic& topic,
                            const std::stop_token& stop);

}  // namespace vibes::eventlog::iggy
