// SPDX-License-Identifier: MIT
#include "base/paths.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <sys/stat.h>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vibes;

namespace {

/// Sets one variable for a scope.
class WithVariable {
 public:
  WithVariable(const char* name, const char* value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) {
      before_ = before;
    }
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  WithVariable(const WithVariable&) = delete;
  WithVariable& operator=(const WithVariable&) = delete;
  ~WithVariable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("paths: the XDG variables decide, HOME fills in", "[base]") {
  const WithVariable home("HOME", "/home/u");
  const WithVariable config("XDG_CONFIG_HOME", nullptr);
  const WithVariable data("XDG_DATA_HOME", "/data");
  const WithVariable state("XDG_STATE_HOME", "not/absolute");
  const WithVariable runtime("XDG_RUNTIME_DIR", nullptr);
  const auto paths = default_paths();
  REQUIRE(paths);
  CHECK(paths->config == "/home/u/.config/vibes/config.toml");
  CHECK(paths->log == "/data/vibes/log");
  CHECK(paths->state == "/home/u/.local/state/vibes");
  CHECK(paths->socket() == "/home/u/.local/state/vibes/run/vibes.sock");
}

TEST_CASE("paths: without HOME the error names the variable that would help", "[base]") {
  const WithVariable home("HOME", nullptr);
  const WithVariable config("XDG_CONFIG_HOME", nullptr);
  const auto paths = default_paths();
  REQUIRE_FALSE(paths);
  CHECK(paths.error().context.find("XDG_CONFIG_HOME") != std::string::npos);
}

TEST_CASE("paths: a private directory is made with its parents, for us alone", "[base]") {
  const test::TempDir temp;
  const auto dir = temp.path() / "a" / "b";
  REQUIRE(make_private_directory(dir));
  struct stat st {};
  REQUIRE(::stat(dir.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777U) == 0700);
  CHECK(make_private_directory(dir));
}

TEST_CASE("paths: a directory that others may write, and a link to one, are refused", "[base]") {
  const test::TempDir temp;
  const auto dir = temp.path() / "open";
  REQUIRE(make_private_directory(dir));
  REQUIRE(::chmod(dir.c_str(), 0777) == 0);
  CHECK_FALSE(make_private_directory(dir));
  REQUIRE(::chmod(dir.c_str(), 0700) == 0);
  REQUIRE(::symlink(dir.c_str(), (temp.path() / "link").c_str()) == 0);
  CHECK_FALSE(make_private_directory(temp.path() / "link"));
}
