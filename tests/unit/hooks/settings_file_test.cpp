// SPDX-License-Identifier: MIT
#include "hooks/settings_file.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include "hooks/errc.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vibes::hooks;
using std::filesystem::path;

namespace {

struct Fixture {
  vibes::test::TempDir dir;
  path folder = path(dir.path());
  SettingsFile file{folder / ".claude" / "settings.json"};

  void put(const std::string& text) const {
    std::filesystem::create_directories(file.path().parent_path());
    std::ofstream(file.path(), std::ios::binary) << text;
  }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(file.path().parent_path())) {
      ++count;
    }
    return count;
  }
};

unsigned mode_of(const path& file) {
  struct stat st {};
  REQUIRE(::stat(file.c_str(), &st) == 0);
  return st.st_mode & 07777U;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "settings file: what is not there is nothing, and can be written",
                 "[hooks][settings]") {
  CHECK_FALSE(file.read()->has_value());
  REQUIRE(file.write(std::nullopt, "{}\n"));
  CHECK(*file.read() == "{}\n");
  CHECK(files() == 1);
}

TEST_CASE_METHOD(Fixture, "settings file: the mode stays", "[hooks][settings]") {
  put("{}");
  std::filesystem::permissions(file.path(), std::filesystem::perms{0600});
  REQUIRE(file.write("{}", "{ }"));
  CHECK(mode_of(file.path()) == 0600);
  REQUIRE(file.write_backup("{}"));
  CHECK(mode_of(file.backup_path()) == 0600);
}

TEST_CASE_METHOD(Fixture, "settings file: a link stays, and what it leads to changes",
                 "[hooks][settings]") {
  put("{}");
  const path real = folder / "dotfiles.json";
  std::filesystem::rename(file.path(), real);
  std::filesystem::create_symlink("../dotfiles.json", file.path());
  REQUIRE(file.write("{}", "{ }"));
  CHECK(std::filesystem::is_symlink(file.path()));
  CHECK(*SettingsFile(real).read() == "{ }");
}

TEST_CASE_METHOD(Fixture, "settings file: what somebody else wrote meanwhile is not overwritten",
                 "[hooks][settings]") {
  put("theirs");
  const auto written = file.write("ours", "{}");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == make_error_code(Errc::settings_changed));
  CHECK_FALSE(file.remove("ours"));
  CHECK(*file.read() == "theirs");
  CHECK(files() == 1);
}

TEST_CASE_METHOD(Fixture, "settings file: a file that is too large is refused",
                 "[hooks][settings]") {
  put(std::string((1U << 20U) + 1, ' '));
  CHECK(file.read().error().code == make_error_code(Errc::settings_too_large));
}
