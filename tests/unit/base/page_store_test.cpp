// SPDX-License-Identifier: MIT
#include "base/page_store.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace vibes;

namespace {

/// Two ends of a stream.
struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
    here.reset(fds[0]);
    there.reset(fds[1]);
  }
  void send(const PageStore::Block& block, std::size_t bytes) const {
    FilePlace place = block.place(0);
    REQUIRE(::sendfile(here.get(), place.fd, &place.offset, bytes) == static_cast<ssize_t>(bytes));
  }
  [[nodiscard]] std::string receive(std::size_t bytes) const {
    std::string got(bytes, '\0');
    REQUIRE(::recv(there.get(), got.data(), bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes));
    return got;
  }
  UniqueFd here;
  UniqueFd there;
};

}  // namespace

TEST_CASE("PageStore: what is on its way stays as it was sent, whatever becomes of its block",
          "[base][pages]") {
  constexpr std::size_t kBytes = 32'768;
  PageStore store(1);
  const Pair pair;
  std::optional<PageStore::Block> block(store.take());
  REQUIRE(*block);
  std::memset(block->data(), 'a', kBytes);
  pair.send(*block, kBytes);
  block.reset();
  PageStore::Block again = store.take();  // the same place in the file
  REQUIRE(again);
  CHECK(again.data()[0] == '\0');
  std::memset(again.data(), 'b', kBytes);
  pair.send(again, kBytes);
  CHECK(pair.receive(kBytes) == std::string(kBytes, 'a'));
  CHECK(pair.receive(kBytes) == std::string(kBytes, 'b'));
}

TEST_CASE("PageStore: blocks are bounded, and those given back are taken again", "[base][pages]") {
  PageStore store(2);
  PageStore::Block one = store.take();
  const PageStore::Block two = store.take();
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one.data() != two.data());
  CHECK(store.blocks() == 2);
  CHECK_FALSE(store.take());
  { const PageStore::Block gone = std::move(one); }
  CHECK_FALSE(one);  // NOLINT(bugprone-use-after-move): that it is empty is what is promised
  CHECK(store.blocks() == 1);
  CHECK(store.take());
}

TEST_CASE("PageStore: a block outlives its store", "[base][pages]") {
  std::optional<PageStore> store(std::in_place, 1);
  const PageStore::Block block = store->take();
  REQUIRE(block);
  store.reset();
  std::memset(block.data(), 'x', PageStore::kBlockBytes);
  CHECK(block.data()[PageStore::kBlockBytes - 1] == 'x');
  CHECK(block.place(5).offset == 5);
}

TEST_CASE("PageStore: threads take and give back beside each other", "[base][pages][threads]") {
  PageStore store(8);
  std::atomic<bool> shared{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&store, &shared, i] {
      for (int round = 0; round < 200; ++round) {
        const PageStore::Block block = store.take();
        shared = shared || !block || block.data()[100] != '\0';
        if (block) {
          block.data()[100] = static_cast<char>('a' + i);
        }
      }
    });
  }
  threads.clear();
  CHECK_FALSE(shared);
  CHECK(store.blocks() == 0);
}
