// SPDX-License-Identifier: MIT
#include <algorithm>

#include "event/ascii.hpp"
#include "event/batch_builder.hpp"
#include "event/elements.hpp"
#include "event/errc.hpp"

namespace vibes::event {

CheckedBatch check_ndjson(std::string_view text, const CheckOptions& options) {
  BatchBuilder batch;
  std::size_t line = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view json = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line;
    if (!json.empty() && !batch.add(line, check(json, options))) {
      break;
    }
  }
  CheckedBatch checked = std::move(batch).finish();
  if (checked.refused && checked.refused->error.code == Errc::not_json) {
    // One event spread over lines, as people write it.
    if (auto whole = check(text, options)) {
      return {{*std::move(whole)}, std::nullopt};
    }
  }
  return checked;
}

CheckedBatch check_array(std::string_view text, const CheckOptions& options) {
  BatchBuilder batch;
  text = trim(text);
  if (!text.starts_with('[')) {
    if (!text.empty()) {
      batch.add(1, check(text, options));
    }
    return std::move(batch).finish();
  }
  Elements elements(text);
  for (std::size_t number = 1; const auto element = elements.next(); ++number) {
    if (!batch.add(number, check(*element, options))) {
      return std::move(batch).finish();
    }
  }
  if (const auto problem = elements.problem()) {
    batch.refuse(elements.count() + 1, {Errc::not_json, std::string(*problem)});
  }
  return std::move(batch).finish();
}

}  // namespace vibes::event
