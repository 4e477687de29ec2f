// SPDX-License-Identifier: MIT
#include "io/replace_file.hpp"

#include <span>

#include "io/file_system.hpp"

namespace vibes::io {

Result<void> write_fresh_file(FileSystem& file_system, const std::string& path,
                              std::string_view contents) {
  VIBES_TRY_ASSIGN(left_over, file_system.exists(path));
  if (left_over) {
    VIBES_TRY(file_system.remove(path));
  }
  VIBES_TRY_ASSIGN(file, file_system.open(path, OpenMode::create_new));
  VIBES_TRY(file->write_at(0, std::as_bytes(std::span(contents))));
  return file->sync_data();
}

Result<void> replace_file(FileSystem& file_system, const std::string& path,
                          std::string_view contents) {
  const std::string fresh = path + ".new";
  VIBES_TRY(write_fresh_file(file_system, fresh, contents));
  VIBES_TRY(file_system.rename(fresh, path));
  return file_system.sync_directory(path.substr(0, path.rfind('/')));
}

}  // namespace vibes::io
