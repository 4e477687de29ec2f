// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "eventlog/remote/remote_stream.hpp"

namespace vibes::eventlog::iggy {

/// Where all groups stand, and who holds them: what is in a message of a topic of groups,
///
///   {"by":"…","groups":{"NAME":OFFSET,…},"held":{"NAME":{"owner":"…","stamp":N},…},
///    "number":N,"vibes":1}
struct GroupsState {
  struct Hold {
    std::string owner;
    std::uint64_t stamp = 0;  // the number of the message in which it was renewed
    friend bool operator==(const Hold&, const Hold&) = default;
  };

  std::uint64_t number = 0;  // 0: nobody has stored anything yet
  std::string by;            // of this message alone
  remote::RemoteGroups::Offsets offsets;
  std::map<std::string, Hold, std::less<>> holds;
};

std::string encode(const GroupsState& state);
/// Nothing for what is none of ours.
std::optional<GroupsState> decode_groups(std::string_view payload);

}  // namespace vibes::eventlog::iggy
