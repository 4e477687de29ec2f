// SPDX-License-Identifier: MIT
#include "base/durable_write.hpp"

#include <cerrno>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace vibes {
namespace {

TEST_CASE("durable_write: a write in many parts is whole", "[base]") {
  int ends[2] = {};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const std::string bytes(1'000'003, 'x');  // a pipe holds less
  std::string got;
  std::thread reader([&] {
    std::string piece(4'096, '\0');
    for (ssize_t size = 1; size > 0;) {
      size = ::read(read_end.get(), piece.data(), piece.size());
      got.append(piece, 0, size > 0 ? static_cast<std::size_t>(size) : 0);
    }
  });
  const auto written = write_all(write_end.get(), bytes, "pipe");
  write_end.reset();
  reader.join();
  REQUIRE(written);
  CHECK(got == bytes);
}

TEST_CASE("durable_write: errors name the file and the system's reason", "[base]") {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto written = write_all(full.get(), "x", "/dev/full");
  REQUIRE(!written);
  CHECK(written.error().code == std::errc::no_space_on_device);
  CHECK(written.error().message().find("/dev/full") != std::string::npos);
  const test::TempDir dir;
  CHECK(sync_folder(dir.path()));
  const auto missing = sync_folder(dir.path() / "none");
  REQUIRE(!missing);
  CHECK(missing.error().code == std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace vibes
