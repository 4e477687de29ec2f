// SPDX-License-Identifier: MIT
#include <algorithm>

#include "event/ascii.hpp"
#include "event/batch_builder.hpp"
#include "event/elements.hpp"
#include "event/errc.hpp"

namespace vibes::event {

CheckedBatch check_ndjson(std::string_view text, const CheckOptions& options) {
  BatchBuilder batch(text);
  std::size_t line = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view json = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line;
    if (!json.empty() && !batch.check(line, json, options)) {
      break;
    }
  }
  CheckedBatch checked = std::move(batch).finish();
  if (checked.refused && checked.refused->error.code == Errc::not_json) {
    // One event spread over lines, as people write it.
    CheckedBatch whole;
    if (check_into(whole.events, text, options)) {
      return whole;
    }
  }
  return checked;
}

CheckedBatch check_array(std::string_view text, const CheckOptions& options) {
  BatchBuilder batch(text);
  text = trim(text);
  if (!text.starts_with('[')) {
    if (!text.empty()) {
      batch.check(1, text, options);
    }
    return std::move(batch).finish();
  }
  Elements elements(text);
  for (std::size_t number = 1; const auto element = elements.next(); ++number) {
    if (!batch.check(number, *element, options)) {
      return std::move(batch).finish();
    }
  }
  if (const auto problem = elements.problem()) {
    batch.refuse(elements.count() + 1, {Errc::not_json, std::string(*problem)});
  }
  return std::move(batch).finish();
}

}  // namespace vibes::event
