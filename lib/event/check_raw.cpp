// SPDX-License-Identifier: MIT
#include "event/check_raw.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/errc.hpp"
#include "event/json_verdict.hpp"
#include "event/raw_json.hpp"
#include "event/take_out.hpp"

namespace vibes::event {

Result<NewEvent> check_raw(std::string_view json, const CheckOptions& options) {
  const std::string_view text = trim(json);
  VIBES_TRY(check_size(text));
  VIBES_TRY(judge_json(text));
  VIBES_TRY_ASSIGN(taken, take_out<RawJson>(text, {options, limits::kTypeBytesMax}));
  return copy_of(taken.beside(text));
}

}  // namespace vibes::event
