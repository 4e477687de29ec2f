// SPDX-License-Identifier: MIT
// Where the libraries have something that is slow to load, the program in bin/ is linked with these
// instead. They say the same: check_raw() is tested against check(), and who needs a name looked up
// is given to the whole program before (front.cpp).
#include <algorithm>

#include "client/errc.hpp"
#include "client/look_up.hpp"
#include "event/check.hpp"
#include "event/check_raw.hpp"
#include "event/utf8.hpp"

namespace vibes::event {

Result<NewEvent> check(std::string_view json, const CheckOptions& options) {
  return check_raw(json, options);
}

/// Whoever is told false takes a slower way to the same end.
bool is_utf8(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace vibes::event

namespace vibes::client {

Result<std::vector<Address>> look_up(const std::string& host, std::uint16_t port) {
  auto addresses = numeric_address(host, port);
  if (addresses.empty()) {
    return fail(make_error_code(Errc::cannot_connect), "names are not looked up here");
  }
  return addresses;
}

}  // namespace vibes::client
