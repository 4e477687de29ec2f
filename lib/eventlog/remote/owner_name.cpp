// SPDX-License-Identifier: MIT
#include "eventlog/remote/owner_name.hpp"

#include <array>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <unistd.h>

#include "base/uuid.hpp"
#include "io/file_system.hpp"
#include "io/replace_file.hpp"

namespace vibes::eventlog::remote {
namespace {

constexpr std::size_t kUuidChars = 36;

std::string host() {
  std::array<char, 256> name{};
  (void)::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::optional<Uuid> read_id(io::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, io::OpenMode::read_only);
  if (!file) {
    return std::nullopt;
  }
  std::string text(kUuidChars, '\0');
  const auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
  text.resize(got ? *got : 0);
  return parse_uuid(text);
}

}  // namespace

Result<std::string> owner_name(io::FileSystem& files, const std::string& directory) {
  if (directory.empty()) {
    return fmt::format("{} pid {} ({})", host(), ::getpid(), to_string(random_uuid()));
  }
  const std::string path = directory + "/owner";
  auto id = read_id(files, path);
  if (!id) {
    id = random_uuid();
    VIBES_TRY(io::replace_file(files, path, to_string(*id) + "\n"));
  }
  return fmt::format("{} {} ({})", host(), directory, to_string(*id));
}

}  // namespace vibes::eventlog::remote
