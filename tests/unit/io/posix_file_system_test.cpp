// SPDX-License-Identifier: MIT
#include <array>
#include <span>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <unistd.h>

#include "io/file_system.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vibes;
using io::OpenMode;

TEST_CASE("posix files: what is written is read back; the end is a short read", "[io]") {
  const test::TempDir dir;
  auto& fs = io::posix_file_system();
  const std::string path = dir.path() / "a";
  auto file = fs.open(path, OpenMode::create_new);
  REQUIRE(file);
  const std::string text = "the log comes first";
  REQUIRE((*file)->write_at(10, std::as_bytes(std::span(text))));
  REQUIRE((*file)->sync_data());
  std::array<std::byte, 64> into{};
  const auto got = (*file)->read_at(14, into);
  REQUIRE(got);
  CHECK(*got == text.size() - 4);
  CHECK(into[0] == std::byte{'l'});
  CHECK(*(*file)->read_at(1'000, into) == 0);
  REQUIRE((*file)->allocate(4'096));
  CHECK(*(*file)->size() == 4'096);
  REQUIRE((*file)->truncate(12));
  CHECK(*(*file)->size() == 12);
  CHECK_FALSE(fs.open(path, OpenMode::create_new));
}

TEST_CASE("posix files: blocks that were never written are told from those that were", "[io]") {
  constexpr std::size_t kBlock = 64 * 1'024;  // a multiple of every file system's
  const test::TempDir dir;
  auto file = io::posix_file_system().open(dir.path() / "a", OpenMode::create_new);
  REQUIRE(file);
  REQUIRE((*file)->allocate(8 * kBlock));
  CHECK(*(*file)->written_until(0) == 0);
  CHECK(*(*file)->written_until(kBlock) == kBlock);
  const std::vector<std::byte> zeros(kBlock);
  for (const std::size_t block : {0U, 1U, 2U, 5U}) {
    REQUIRE((*file)->write_at(block * kBlock, zeros));
  }
  REQUIRE((*file)->sync_data());
  if (*(*file)->written_until(0) == 0) {
    SUCCEED("this file system does not tell");
    return;
  }
  CHECK(*(*file)->written_until(0) == 3 * kBlock);
  CHECK(*(*file)->written_until(kBlock + 1) == 3 * kBlock);
  CHECK(*(*file)->written_until(4 * kBlock) == 4 * kBlock);
  CHECK(*(*file)->written_until(5 * kBlock) == 6 * kBlock);
  std::vector<std::byte> read(kBlock);
  REQUIRE((*file)->read_at(3 * kBlock, read));  // what was read is no more written than before
  CHECK(*(*file)->written_until(0) == 3 * kBlock);
}

TEST_CASE("posix files: a link in the last place is not followed", "[io]") {
  const test::TempDir dir;
  auto& fs = io::posix_file_system();
  const std::string path = dir.path() / "a";
  const std::string link = dir.path() / "b";
  REQUIRE(fs.open(path, OpenMode::create_new));
  REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
  CHECK_FALSE(fs.open(link, OpenMode::read_only));
  CHECK_FALSE(fs.open(link, OpenMode::read_write));
}

TEST_CASE("posix files: a lock is held once, says by whom, and knows when it was moved away",
          "[io]") {
  const test::TempDir dir;
  auto& fs = io::posix_file_system();
  const std::string path = dir.path() / "LOCK";
  auto lock = fs.lock(path, "pid 1, me\n");
  REQUIRE(lock);
  CHECK((*lock)->check());
  const auto second = fs.lock(path, "pid 2\n");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == std::errc::resource_unavailable_try_again);
  CHECK(second.error().context.find("pid 1, me") != std::string::npos);
  REQUIRE(fs.rename(path, path + ".old"));
  CHECK_FALSE((*lock)->check());
  REQUIRE(fs.open(path, OpenMode::create_new));
  CHECK_FALSE((*lock)->check());
}

TEST_CASE("posix files: names are listed in order, and a missing one is no error", "[io]") {
  const test::TempDir dir;
  auto& fs = io::posix_file_system();
  for (const char* name : {"c", "a", "b"}) {
    REQUIRE(fs.open(dir.path() / name, OpenMode::create_new));
  }
  CHECK(*fs.list(dir.path()) == std::vector<std::string>{"a", "b", "c"});
  CHECK(*fs.exists(dir.path() / "a"));
  CHECK_FALSE(*fs.exists(dir.path() / "d"));
  REQUIRE(fs.sync_directory(dir.path()));
}
