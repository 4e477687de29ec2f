// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "consumers/sessions/transcript_store.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// GET /api/sessions/ID/transcript, in the format of `format=` or else of Accept: 200; 400
/// bad_query for an unknown format, 404 not_found for a session without events, 500
/// transcript_unreadable. Reads from disk. `session` percent-decoded.
Response read_transcript(const consumers::TranscriptStore& transcripts, std::string_view session,
                         const RequestHead& head);

}  // namespace vibes::net
