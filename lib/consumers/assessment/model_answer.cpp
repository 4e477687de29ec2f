// SPDX-License-Identifier: MIT
#include "consumers/assessment/model_answer.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "consumers/assessment/errc.hpp"
#include "consumers/assessment/session_verdict.hpp"
#include "consumers/assessment/text_cut.hpp"
#include "event/ascii.hpp"

namespace vibes::consumers::assessment {
namespace {

using nlohmann::json;

constexpr std::size_t kObjectsTried = 64;  // each may be looked through to the end of the text

/// The object that begins at `from`, up to its closing brace; empty if there is none.
std::string_view object_at(std::string_view text, std::size_t from) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = from; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      at += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text.substr(from, at + 1 - from);
    }
  }
  return {};
}

/// The first object with a summary; without one the last object of all, which then says what is
/// wrong. Discarded: no object at all.
json find_object(std::string_view text) {
  json found(json::value_t::discarded);
  std::size_t at = text.find('{');
  for (std::size_t tried = 0; at != std::string_view::npos && tried < kObjectsTried; ++tried) {
    const std::string_view object = object_at(text, at);
    json parsed = json::parse(object, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) {
      at = text.find('{', at + 1);
      continue;
    }
    found = std::move(parsed);
    if (found.contains("summary")) {
      break;
    }
    at = text.find('{', at + object.size());
  }
  return found;
}

bool is_outcome(std::string_view name) {
  constexpr std::array kAll = {SessionOutcome::success, SessionOutcome::partial,
                               SessionOutcome::failure, SessionOutcome::abandoned};
  return std::ranges::any_of(kAll, [name](SessionOutcome one) { return to_string(one) == name; });
}

}  // namespace

Result<ModelAnswer> read_answer(std::string_view printed) {
  const json object = find_object(printed);
  if (object.is_discarded()) {
    return fail(Errc::bad_answer, "no JSON object");
  }
  const auto summary = object.find("summary");
  if (summary == object.end() || !summary->is_string()) {
    return fail(Errc::bad_answer, "no summary");
  }
  ModelAnswer answer;
  answer.summary = event::trim(summary->get_ref<const std::string&>());
  if (answer.summary.empty()) {
    return fail(Errc::bad_answer, "an empty summary");
  }
  if (answer.summary.size() > kSummaryBytesMax) {
    constexpr std::string_view kCut = "…";
    answer.summary = std::string(head(answer.summary, kSummaryBytesMax - kCut.size())).append(kCut);
  }
  if (const auto outcome = object.find("outcome"); outcome != object.end()) {
    if (!outcome->is_string() || !is_outcome(outcome->get_ref<const std::string&>())) {
      return fail(Errc::bad_answer, "an unknown outcome");
    }
    answer.outcome = outcome->get<std::string>();
  }
  return answer;
}

}  // namespace vibes::consumers::assessment
