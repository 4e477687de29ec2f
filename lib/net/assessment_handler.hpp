// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "consumers/sessions/transcript_store.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// GET /api/assessment/sessions?limit=&before=: 200; 400 bad_query, 500 transcript_unreadable.
/// Reads from disk.
Response list_assessed(const consumers::TranscriptStore& transcripts, const RequestHead& head);
/// GET /api/assessment/sessions/ID: 200; 404 not_found for a session without a result, 500
/// transcript_unreadable. Reads from disk. `session` percent-decoded.
Response read_assessment(const consumers::TranscriptStore& transcripts, std::string_view session);

}  // namespace vibes::net
