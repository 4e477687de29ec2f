// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "eventlog/copy_target.hpp"
#include "eventlog/open.hpp"

namespace vibes::engines {

/// Opens a log of any engine: `file:DIR` (or a bare path), `memory:`, `nats://…` and `tls://…`,
/// `iggy+http://…`, `iggy+https://…` and `iggy:DIR` (docs/operations.md). What an engine elsewhere
/// needs on this machine it keeps in LogOptions::state_directory. Errors: those of
/// eventlog::open_log(), and unreachable, unauthorized, other_settings.
Result<std::unique_ptr<eventlog::CopyTarget>> open_log(std::string_view url,
                                                       const eventlog::LogOptions& options);

/// Opens a log to be read, where it is: a file log as eventlog::open_log_read_only() does, an
/// engine elsewhere only if it has the log already (else not_found). Errors: theirs.
Result<std::unique_ptr<eventlog::EventLog>> open_to_read(std::string_view url,
                                                         const eventlog::LogOptions& options);

/// Whether the order of such a log is decided elsewhere: it may be shared with other servers, and
/// may be away.
bool is_elsewhere(std::string_view url);

/// The URL without what is secret in it: a password, a token. Anything that is no URL of an engine
/// elsewhere is returned as it is.
std::string without_secrets(std::string_view url);

/// What the engines' libraries have started ends. Once, before main() returns, when every log is
/// closed; none can be opened any more.
void close_libraries();

}  // namespace vibes::engines
