// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/page_store.hpp"
#include "net/lws_fwd.hpp"

namespace vibes::net {

/// Sends complete, unmasked frames as they are. False: the connection is lost.
///
/// One system call for many events needs libwebsockets to leave our bytes alone. Its WebSocket role
/// does so for LWS_WRITE_HTTP, which its documentation does not say; it has been read in the
/// versions that sends_frames_as_they_are() knows, and the conformance test checks the one at hand.
/// With any other version each frame is sent by a call of its own.
bool write_raw_frames(lws* wsi, std::string_view frames);

/// The same for frames that are in a PageStore's file, at `place`: what the socket takes at once
/// goes there without being copied, the rest as above.
bool write_raw_pages(lws* wsi, std::string_view frames, FilePlace place);

/// Whether this version of the library is known to do so: "4.1.6-…".
bool sends_frames_as_they_are(std::string_view library_version);

/// Cuts the first frame off: its payload. The input must hold complete, unmasked frames.
std::string_view next_frame_payload(std::string_view& frames);

}  // namespace vibes::net
