// SPDX-License-Identifier: MIT
#include "io/patient_write.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace vibes;

TEST_CASE("write_patiently: the same bytes at the same place, however many pieces", "[io]") {
  const test::TempDir dir;
  auto file = io::posix_file_system().open(dir.path() / "a", io::OpenMode::create_new);
  REQUIRE(file);
  constexpr std::uint64_t kAt = 7;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, io::kPatientWriteBytes,
                                 io::kPatientWriteBytes + 1, 3 * io::kPatientWriteBytes - 1}) {
    CAPTURE(size);
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<std::byte>(i * 31 + i / 257);
    }
    REQUIRE((*file)->truncate(0));
    REQUIRE(io::write_patiently(**file, kAt, bytes));
    CHECK(*(*file)->size() == (size == 0 ? 0 : kAt + size));
    std::vector<std::byte> back(size);
    CHECK(*(*file)->read_at(kAt, back) == size);
    CHECK(back == bytes);
  }
}
