// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vibes::io {

class FileSystem;

/// Writes a file anew, what a crash has left of it aside, and syncs its contents; its name is
/// durable only after FileSystem::sync_directory(). Errors: the I/O error.
Result<void> write_fresh_file(FileSystem& file_system, const std::string& path,
                              std::string_view contents);

/// Puts a file with these contents in the place of `path`, durably: a crash leaves the old one or
/// the new one. PATH.new is where it is written. Errors: the I/O error.
Result<void> replace_file(FileSystem& file_system, const std::string& path,
                          std::string_view contents);

}  // namespace vibes::io
