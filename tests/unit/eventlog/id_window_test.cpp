// SPDX-License-Identifier: MIT
#include "eventlog/id_window.hpp"

#include <map>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace vibes;
using eventlog::IdWindow;

namespace {

Uuid id_of(std::uint64_t number) {
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), &number, sizeof number);
  return uuid;
}

}  // namespace

TEST_CASE("IdWindow: the newest events are known, older ones are forgotten", "[eventlog]") {
  IdWindow window(100);
  window.reset(Offset(7));
  for (std::uint64_t i = 7; i < 1'007; ++i) {
    window.push(id_of(i), i * 3);
  }
  CHECK(window.first() == Offset(907));
  CHECK(window.end() == Offset(1'007));
  for (std::uint64_t i = 7; i < 1'007; ++i) {
    const auto known = window.find(id_of(i));
    REQUIRE(known.has_value() == (i >= 907));
    if (known) {
      CHECK(known->offset == Offset(i));
      CHECK(known->fingerprint == i * 3);
    }
  }
}

TEST_CASE("IdWindow: it agrees with a map under pushes and truncations", "[eventlog]") {
  std::mt19937_64 random(4);  // NOLINT: the seed is part of the test
  IdWindow window(500);
  std::map<std::uint64_t, std::uint64_t> model;  // offset -> id
  std::uint64_t end = 0;
  std::uint64_t next_id = 1;
  for (int round = 0; round < 20'000; ++round) {
    if (random() % 50 == 0) {
      const std::uint64_t back = std::min<std::uint64_t>(random() % 20, end);
      end -= back;
      window.truncate(Offset(end));
      model.erase(model.lower_bound(end), model.end());
    } else {
      window.push(id_of(next_id), next_id);
      model[end++] = next_id++;
    }
    model.erase(model.begin(), model.lower_bound(window.first().value()));
    REQUIRE(window.end() == Offset(end));
    REQUIRE(model.size() == window.end() - window.first());
    if (!model.empty()) {
      auto it = model.lower_bound(window.first().value() + random() % model.size());
      const auto known = window.find(id_of(it->second));
      REQUIRE(known);
      REQUIRE(known->offset == Offset(it->first));
    }
    REQUIRE_FALSE(window.find(id_of(next_id)));
  }
}

// Where they crowd each other this does not end within the test's time.
TEST_CASE("IdWindow: as many ids as come in one millisecond find room", "[eventlog]") {
  constexpr std::uint64_t kIds = 1'000'000;
  UuidV7Generator generator;
  std::vector<Uuid> ids;
  IdWindow window(kIds);
  for (std::uint64_t i = 0; i < kIds; ++i) {
    ids.push_back(generator.next(Timestamp{1'700'000'000'000'000}));
    window.push(ids.back(), i);
  }
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < kIds; ++i) {
    const auto known = window.find(ids[i]);
    found += known && known->offset == Offset(i) ? 1U : 0U;
  }
  CHECK(found == kIds);
}
