// SPDX-License-Identifier: MIT
#pragma once

namespace vibes::event {

// event/payload.hpp brings simdjson with it, which headers that many include should not.
class PayloadReader;
class PayloadValue;

}  // namespace vibes::event
