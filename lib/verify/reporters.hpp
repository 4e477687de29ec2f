// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "verify/report.hpp"

namespace vibes::verify {

/// The reporters behind make_reporter().
std::unique_ptr<Reporter> make_human_reporter(Colour colour);
std::unique_ptr<Reporter> make_tap_reporter();
std::unique_ptr<Reporter> make_junit_reporter();
std::unique_ptr<Reporter> make_json_reporter();

}  // namespace vibes::verify
