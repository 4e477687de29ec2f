// SPDX-License-Identifier: MIT
#pragma once

#include "net/http.hpp"
#include "net/services.hpp"

namespace vibes::net {

// /api/consumers (docs/protocol.md §8).

Response list_groups(const Services& services);
Response find_group(const Services& services, std::string_view group);
Response group_dead_letters(const Services& services, std::string_view group);
// These wait for the disk.
Response seek_group(Services& services, std::string_view group, std::string_view body);
Response reset_group(Services& services, std::string_view group);
Response remove_group(Services& services, std::string_view group);

}  // namespace vibes::net
