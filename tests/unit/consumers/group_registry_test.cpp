// SPDX-License-Identifier: MIT
#include "consumers/group_registry.hpp"

#include <future>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "consumers/errc.hpp"
#include "eventlog/memory/memory_event_log.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "unit/consumers/fixture.hpp"

using namespace vibes;
using namespace vibes::consumers;
using namespace vibes::test;

namespace {

/// Commits without waiting and waits for the answer all the same.
Result<Offset> answer_of(const std::function<Result<void>(Membership::CommitDone)>& ask) {
  std::promise<Result<Offset>> answer;
  VIBES_TRY(ask([&answer](Result<Offset> committed) { answer.set_value(std::move(committed)); }));
  return answer.get_future().get();
}

}  // namespace

TEST_CASE("GroupRegistry: a group starts where its first start says, once", "[consumers]") {
  RegistryFixture f;
  f.append(10);
  CHECK((*f.registry->join("from-start", FirstStart::beginning))->start() == Offset(0));
  CHECK((*f.registry->join("from-end", FirstStart::end))->start() == Offset(10));
  f.append(5);
  CHECK((*f.registry->join("from-end", FirstStart::beginning))->start() == Offset(10));
  CHECK((*f.registry->join("from-start", FirstStart::end))->start() == Offset(0));
}

TEST_CASE("GroupRegistry: where a group started is remembered though it never commits",
          "[consumers]") {
  RegistryFixture f;
  f.append(10);
  (void)f.registry->join("g", FirstStart::end);
  f.registry.reset();  // finishes what was taken
  CHECK(f.log->group_offsets().committed("g") == Offset(10));
}

TEST_CASE("GroupRegistry: members share a group, and its commit is the least of theirs",
          "[consumers]") {
  RegistryFixture f;
  f.append(10);
  const SlotTable::Place begin{};
  const SlotTable::Place end{Offset(10), Offset(10)};
  int told = 0;
  auto first = *f.registry->share("g", FirstStart::beginning, [&] { ++told; });
  first->sync(begin);
  told = 0;
  auto second = *f.registry->share("g", FirstStart::end, [] {});
  CHECK(told == 1);
  CHECK(second->start() == Offset(0));
  first->sync(begin);
  CHECK(second->sync(begin).seek == Offset(0));
  CHECK(f.registry->find("g")->members == 2);
  CHECK(f.registry->join("g", FirstStart::end).error().code == Errc::group_busy);
  CHECK(f.registry->seek("g", eventlog::End{}).error().code == Errc::group_busy);

  const auto commit = [&](SharedMembership& member, std::uint64_t next) {
    return answer_of([&](Membership::CommitDone done) {
      return member.commit(Offset(next), end, std::move(done));
    });
  };
  CHECK(commit(*first, 7).value() == Offset(0));
  CHECK(commit(*second, 5).value() == Offset(5));
  CHECK(commit(*second, 11).error().code == eventlog::Errc::bad_commit);
  const auto rejected = answer_of([&](Membership::CommitDone done) {
    return second->reject(Offset(7), end, "no", 2, std::move(done));
  });
  CHECK(rejected.value() == Offset(7));
  CHECK(f.registry->find("g")->dead_letters == 1);

  // What was done beyond the commit is remembered while the server lives.
  first.reset();
  second.reset();
  CHECK(f.registry->find("g")->members == 0);
  auto third = *f.registry->share("g", FirstStart::end, [] {});
  CHECK(third->start() == Offset(7));
  third->sync(begin);
  CHECK(third->segment(Offset(7)).until == Offset(8));
}

TEST_CASE("GroupRegistry: no commit goes past a dead letter that could not be kept",
          "[consumers]") {
  const TempDir dir;
  ManualClock clock;
  const auto log = memory_log(clock);
  append_numbered(*log, 10);
  auto options = registry_options(clock);
  options.dead_letters_directory = dir.path().string();
  const auto registry = *GroupRegistry::open(*log, options);
  const SlotTable::Place end{Offset(10), Offset(10)};
  const auto letters = dir.path() / "g.jsonl";
  std::filesystem::create_directory(letters);  // nothing can be written there
  {
    auto member = *registry->share("g", FirstStart::beginning, [] {});
    member->sync({});
    const auto reject = [&] {
      return answer_of([&](Membership::CommitDone done) {
        return member->reject(Offset(3), end, "no", 1, std::move(done));
      });
    };
    CHECK_FALSE(reject());
    CHECK_FALSE(answer_of([&](Membership::CommitDone done) {
      return member->commit(Offset(10), end, std::move(done));
    }));
    CHECK(registry->find("g")->committed == Offset(0));
    CHECK(registry->find("g")->state == GroupState::failed);
    std::filesystem::remove(letters);
    CHECK(reject());
    CHECK(registry->find("g")->dead_letters == 1);
  }
  CHECK(registry->find("g")->committed >= Offset(4));
}

TEST_CASE("GroupRegistry: a group has room for so many members and no more", "[consumers]") {
  RegistryFixture f;
  std::vector<std::unique_ptr<SharedMembership>> members;
  for (std::size_t i = 0; i < limits::kGroupMembersMax; ++i) {
    members.push_back(*f.registry->share("g", FirstStart::end, [] {}));
  }
  CHECK(f.registry->share("g", FirstStart::end, [] {}).error().code == Errc::group_busy);
  members.pop_back();
  CHECK(f.registry->share("g", FirstStart::end, [] {}));
}

TEST_CASE("GroupRegistry: a group that is joined has one member at a time", "[consumers]") {
  RegistryFixture f;
  auto first = f.registry->join("g", FirstStart::beginning);
  REQUIRE(first);
  CHECK(f.registry->join("g", FirstStart::beginning).error().code == Errc::group_busy);
  CHECK(f.registry->join("h", FirstStart::beginning));
  CHECK(f.registry->seek("g", eventlog::End{}).error().code == Errc::group_busy);
  CHECK(f.registry->remove("g").error().code == Errc::group_busy);
  (*first).reset();
  CHECK(f.registry->join("g", FirstStart::beginning));
}

TEST_CASE("GroupRegistry: names are checked and counted", "[consumers]") {
  RegistryFixture f;
  for (const char* name : {"", "A", "../x", ".."}) {
    CHECK(f.registry->join(name, FirstStart::end).error().code == eventlog::Errc::bad_group_name);
    CHECK(f.registry->seek(name, eventlog::End{}).error().code == eventlog::Errc::bad_group_name);
  }
  for (std::size_t i = 0; i < limits::kGroupsMax; ++i) {
    REQUIRE(f.registry->join("g" + std::to_string(i), FirstStart::end));
  }
  CHECK(f.registry->join("more", FirstStart::end).error().code == eventlog::Errc::too_many_groups);
  CHECK(f.registry->seek("more", eventlog::End{}).error().code == eventlog::Errc::too_many_groups);
  CHECK(f.registry->join("g1", FirstStart::end));
}

TEST_CASE("GroupRegistry: a commit is answered when it is done, and is where one resumes",
          "[consumers]") {
  RegistryFixture f;
  f.append(10);
  auto member = f.registry->join("g", FirstStart::beginning);
  const auto commit = [&](std::uint64_t next) {
    return answer_of(
        [&](Membership::CommitDone done) { return (*member)->commit(Offset(next), done); });
  };
  CHECK(*commit(7) == Offset(7));
  CHECK(f.log->group_offsets().committed("g") == Offset(7));
  CHECK(*commit(3) == Offset(3));
  CHECK(*commit(10) == Offset(10));
  CHECK(commit(11).error().code == eventlog::Errc::bad_commit);
  CHECK((*member)->commit_now(Offset(11)).error().code == eventlog::Errc::bad_commit);
  REQUIRE((*member)->commit_now(Offset(5)));
  (*member).reset();
  CHECK((*f.registry->join("g", FirstStart::end))->start() == Offset(5));
}

TEST_CASE("GroupRegistry: commits that wait together are all answered in order", "[consumers]") {
  RegistryFixture f;
  f.append(1'000);
  auto member = f.registry->join("g", FirstStart::beginning);
  std::vector<std::uint64_t> answered;
  std::promise<void> last;
  for (std::uint64_t next = 1; next <= 1'000; ++next) {
    REQUIRE((*member)->commit(Offset(next), [&, next](const Result<Offset>& committed) {
      answered.push_back(committed->value());
      if (next == 1'000) {
        last.set_value();
      }
    }));
  }
  last.get_future().wait();
  REQUIRE(answered.size() == 1'000);
  CHECK(std::is_sorted(answered.begin(), answered.end()));
  CHECK(f.log->group_offsets().committed("g") == Offset(1'000));
}

TEST_CASE("GroupRegistry: commits of one group that may wait are bounded", "[consumers]") {
  RegistryFixture f;
  f.append(1);
  auto blocker = f.registry->join("blocker", FirstStart::beginning);
  auto member = f.registry->join("g", FirstStart::beginning);
  REQUIRE((*member)->commit_now(Offset(0)));
  std::promise<void> blocked;
  std::promise<void> go_on;
  REQUIRE((*blocker)->commit(Offset(1), [&](const Result<Offset>&) {
    blocked.set_value();
    go_on.get_future().wait();
  }));
  blocked.get_future().wait();
  std::atomic<std::size_t> answered = 0;
  for (std::size_t i = 0; i < limits::kPendingCommitsMax; ++i) {
    REQUIRE((*member)->commit(Offset(1), [&](const Result<Offset>&) { ++answered; }));
  }
  CHECK((*member)->commit(Offset(1), {}).error().code == eventlog::Errc::queue_full);
  go_on.set_value();
  REQUIRE((*blocker)->commit_now(Offset(1)));
  while (!(*member)->commit(Offset(1), {})) {
    std::this_thread::yield();
  }
  REQUIRE((*member)->commit_now(Offset(1)));
  CHECK(answered == limits::kPendingCommitsMax);
}

TEST_CASE("GroupRegistry: no answer comes after the membership has ended, the commit does",
          "[consumers]") {
  RegistryFixture f;
  f.append(3);
  auto blocker = f.registry->join("blocker", FirstStart::beginning);
  std::promise<void> go_on;
  REQUIRE((*blocker)->commit(Offset(1), [&](const Result<Offset>&) { go_on.get_future().wait(); }));
  auto member = f.registry->join("g", FirstStart::beginning);
  std::atomic<bool> answered = false;
  REQUIRE((*member)->commit(Offset(3), [&](const Result<Offset>&) { answered = true; }));
  (*member).reset();
  go_on.set_value();
  (*blocker).reset();
  f.registry.reset();
  CHECK_FALSE(answered);
  CHECK(f.log->group_offsets().committed("g") == Offset(3));
}

TEST_CASE("GroupRegistry: a rejected event is a dead letter and is done", "[consumers]") {
  RegistryFixture f;
  f.append(10);
  auto member = f.registry->join("g", FirstStart::beginning);
  CHECK(*answer_of([&](Membership::CommitDone done) {
    return (*member)->reject(Offset(4), "bad \"thing\"", 8, done);
  }) == Offset(5));
  CHECK(f.log->group_offsets().committed("g") == Offset(5));
  const auto letter = nlohmann::json::parse(*f.registry->dead_letters("g"));
  CHECK(letter["offset"] == 4);
  CHECK(letter["event_id"] == to_string(f.event_id_at(4)));
  CHECK(letter["reason"] == "bad \"thing\"");
  CHECK(letter["attempts"] == 8);
  CHECK(letter["time"] == format_rfc3339(f.clock.now()));

  REQUIRE((*member)->reject_now(Offset(2), "late", 1));  // one that was done already
  CHECK(f.log->group_offsets().committed("g") == Offset(5));
  CHECK((*member)->reject_now(Offset(10), "too early", 1).error().code == Errc::bad_reject);
  CHECK(f.registry->find("g")->dead_letters == 2);
}

TEST_CASE("GroupRegistry: the status says how things stand", "[consumers]") {
  RegistryFixture f;
  f.append(10);
  auto member = f.registry->join("g", FirstStart::beginning);
  REQUIRE((*member)->commit_now(Offset(4)));
  f.clock.now_us += 90'500'000;
  (*member)->report({GroupState::retrying, 3, "disk on fire"});
  const auto status = f.registry->find("g");
  REQUIRE(status);
  CHECK(status->kind == GroupKind::durable);
  CHECK(status->state == GroupState::retrying);
  CHECK(status->problem == "disk on fire");
  CHECK(status->committed == Offset(4));
  CHECK(status->end == Offset(10));
  CHECK(status->lag == 6);
  CHECK(status->lag_seconds == 90);
  CHECK(status->attempts == 3);
  CHECK(status->members == 1);
  REQUIRE((*member)->commit_now(Offset(10)));
  (*member).reset();
  const auto idle = f.registry->find("g");
  CHECK(idle->state == GroupState::idle);
  CHECK(idle->problem.empty());
  CHECK(idle->lag == 0);
  CHECK(idle->lag_seconds == 0);
  CHECK(idle->members == 0);
  CHECK(f.registry->find("none").error().code == eventlog::Errc::not_found);
}

TEST_CASE("GroupRegistry: live groups are listed and left alone", "[consumers]") {
  RegistryFixture f;
  f.append(10);
  f.registry->add_live("websocket", [] { return GroupRegistry::LiveView{Offset(8), "slow"}; });
  (void)f.registry->join("a", FirstStart::end);
  (void)f.registry->join("z", FirstStart::end);
  const auto all = f.registry->list();
  REQUIRE(all.size() == 3);
  CHECK(all[0].group == "a");
  CHECK(all[1].group == "websocket");
  CHECK(all[1].kind == GroupKind::live);
  CHECK(all[1].state == GroupState::retrying);
  CHECK(all[1].lag == 2);
  CHECK(all[2].group == "z");
  CHECK(f.registry->join("websocket", FirstStart::end).error().code == Errc::live_group);
  CHECK(f.registry->seek("websocket", eventlog::End{}).error().code == Errc::live_group);
  CHECK(f.registry->remove("websocket").error().code == Errc::live_group);
}

TEST_CASE("GroupRegistry: seek moves a group, and makes it", "[consumers]") {
  RegistryFixture f;
  f.append(10);
  CHECK(f.registry->seek("g", Offset(6))->committed == Offset(6));
  CHECK(f.registry->seek("g", eventlog::FromEnd{1})->committed == Offset(9));
  CHECK(f.registry->seek("g", eventlog::Beginning{})->committed == Offset(0));
  CHECK(f.registry->seek("g", Offset(11)).error().code == eventlog::Errc::out_of_range);
  CHECK(f.registry->seek("new", Offset(11)).error().code == eventlog::Errc::out_of_range);
  CHECK_FALSE(f.registry->find("new"));
  CHECK((*f.registry->join("g", FirstStart::end))->start() == Offset(0));
}

TEST_CASE("GroupRegistry: remove forgets the group and its dead letters", "[consumers]") {
  RegistryFixture f;
  f.append(10);
  auto member = f.registry->join("g", FirstStart::beginning);
  REQUIRE((*member)->reject_now(Offset(1), "r", 1));
  (*member).reset();
  REQUIRE(f.registry->remove("g"));
  CHECK(f.registry->remove("g").error().code == eventlog::Errc::not_found);
  CHECK(f.registry->dead_letters("g").error().code == eventlog::Errc::not_found);
  CHECK(f.registry->list().empty());
  CHECK((*f.registry->join("g", FirstStart::end))->start() == Offset(10));
  CHECK(f.registry->find("g")->dead_letters == 0);
}

TEST_CASE("GroupRegistry: threads join, commit, list and leave beside each other",
          "[consumers][threads]") {
  RegistryFixture f;
  f.append(100);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 100; ++i) {
        auto member = f.registry->join("g" + std::to_string(t), FirstStart::beginning);
        wrong += member && (*member)->start() == Offset(i) ? 0 : 1;
        wrong += member && (*member)->commit_now(Offset(i + 1)) ? 0 : 1;
        (void)f.registry->join("shared", FirstStart::beginning);
        (void)f.registry->list();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}

TEST_CASE("GroupRegistry: a reset puts a group back to the beginning without dead letters",
          "[consumers]") {
  RegistryFixture f;
  f.append(5);
  {
    const auto member = *f.registry->join("g", FirstStart::end);
    REQUIRE(member->reject_now(Offset(4), "no", 1));
    CHECK(f.registry->reset("g").error().code == Errc::group_busy);
  }
  CHECK(f.registry->find("g")->dead_letters == 1);
  const auto status = f.registry->reset("g");
  REQUIRE(status);
  CHECK(status->committed == Offset(0));
  CHECK(status->dead_letters == 0);
  CHECK(f.registry->dead_letters("g")->empty());
  CHECK(f.registry->reset("unknown").error().code == eventlog::Errc::not_found);
}
