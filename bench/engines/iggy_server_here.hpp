// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vibes::bench {

/// Why no Iggy server can be started on this machine for `iggy:DIR`: there is no program
/// ($IGGY_SERVER, else iggy-server in $PATH), or it does not run here. Nothing: one can. Needs
/// `directory` for itself, which is made, and removed again.
std::optional<std::string> why_no_iggy(const std::filesystem::path& directory);

}  // namespace vibes::bench
