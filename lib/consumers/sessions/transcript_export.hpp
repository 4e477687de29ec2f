// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "consumers/sessions/transcript_store.hpp"

namespace vibes::consumers {

enum class TranscriptFormat : std::uint8_t { record, json, jsonl, markdown };

/// "record", "json", "jsonl", "markdown".
std::optional<TranscriptFormat> parse_transcript_format(std::string_view name);

/// record: {"session","next"}; json: the same with "entries" and "omitted_bytes"; jsonl: an entry a
/// line; markdown: for people to read, with long outputs shortened.
std::string export_transcript(const TranscriptSnapshot& snapshot, TranscriptFormat format);

}  // namespace vibes::consumers
