// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "consumers/group_registry_impl.hpp"

namespace vibes::consumers {

/// What a member holds of a group that it has alone, from `start` on. The registry must outlive it.
std::unique_ptr<Membership> make_membership(GroupRegistryImpl& registry, std::string group,
                                            Offset start);
/// The same of a group that it shares.
std::unique_ptr<SharedMembership> make_shared_membership(GroupRegistryImpl& registry,
                                                         std::string group,
                                                         GroupRegistryImpl::Shared shared);

}  // namespace vibes::consumers
