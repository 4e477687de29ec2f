// SPDX-License-Identifier: MIT
#pragma once

#include <stop_token>
#include <string>

#include "consumers/assessment/results.hpp"
#include "eventlog/event_log.hpp"

namespace vibes::consumers::assessment {

/// What a model is given to summarise this result, at most limits::kBackendPromptBytesMax: for a
/// checkpoint the messages it is about, for a verdict what was counted and the summaries of the
/// session's checkpoints, both read back from the log. What the log has no longer, or cannot give,
/// is left out: the rule's own summary is always there. Between the marks stands what people,
/// agents and tools said, and the model is told that it is data. Any thread; a stop makes it short.
std::string make_prompt(eventlog::EventLog& log, const AssessmentResult& result,
                        const std::stop_token& stop);

}  // namespace vibes::consumers::assessment
