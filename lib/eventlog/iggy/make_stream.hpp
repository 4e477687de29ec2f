// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// Whether make_stream() is the one to ask.
bool is_iggy_url(std::string_view url);

/// A topic of a server elsewhere (iggy+http://, iggy+https://, see parse_iggy_url()), or of one of
/// our own, which runs as long as the stream (iggy:DIR, see IggyServer). Connects to nothing yet.
/// Errors: Errc::bad_url; those of IggyServer::make().
Result<std::unique_ptr<remote::RemoteStream>> make_stream(std::string_view url);

}  // namespace vibes::eventlog::iggy
