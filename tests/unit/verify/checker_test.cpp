// SPDX-License-Identifier: MIT
#include "verify/checker.hpp"

#include <functional>

#include "story.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::verify;

namespace {

/// What is wrong in a history must be found, and nothing else: also after the history has been to a
/// file.
void finds_only(const Story& story, std::vector<Check> expected, const std::string& says = "") {
  const auto reread = parse_jsonl(to_jsonl(story.history));
  REQUIRE(reread);
  const Verdict verdict = check(*reread);
  std::string explanations;
  for (const Violation& violation : verdict.examples) {
    explanations += std::string(to_string(violation.check)) + ": " + violation.explanation + "\n";
  }
  CAPTURE(explanations);
  for (std::size_t i = 0; i < kChecks; ++i) {
    const auto which = static_cast<Check>(i);
    CAPTURE(to_string(which));
    const bool is_expected = std::find(expected.begin(), expected.end(), which) != expected.end();
    CHECK((verdict.count(which) > 0) == is_expected);
  }
  CHECK(verdict.valid() == expected.empty());
  CHECK(explanations.find(says) != std::string::npos);
}

/// Three events in the log, in order.
Story three() {
  Story story;
  story.appended(0, 1, 0).appended(1, 1, 1).appended(2, 1, 2);
  return story;
}

}  // namespace

TEST_CASE("checker: good histories pass", "[verify][checker]") {
  SECTION("nothing happened") { finds_only(Story{}, {}); }
  SECTION("append, deliver, commit") {
    Story story = three();
    story.connect(1, 0, 0).deliver(1, 0, 0, 1, 0).deliver(1, 0, 1, 1, 1).position(1, 0, 2);
    story.deliver(1, 0, 2, 1, 2).position(1, 0, 3).finish(1);
    story.join(0).process(0, 1, 0).process(1, 1, 1).commit(2).process(2, 1, 2).commit(3);
    finds_only(story, {});
  }
  SECTION("a crash: the indeterminate event may be there, or not, or be sent again") {
    Story story;
    story.appended(0, 1, 0).send(1, 1).send(1, 2).fault().recover(2, 40, 40);
    story.no_answer(1, 1).no_answer(1, 2).send(1, 2, 1).ack(1, 2, 1).logged(1, 1, 2);
    story.connect(1, 0, 0).deliver(1, 0, 0, 1, 0).fault().connect(1, 1, 1);
    story.deliver(1, 1, 1, 1, 2).finish(1);
    finds_only(story, {});
    const Verdict verdict = check(story.history);
    CHECK(verdict.tally.attempted == 3);
    CHECK(verdict.tally.acked == 2);
    CHECK(verdict.tally.indeterminate == 1);
    CHECK(verdict.tally.recovered == 0);
    CHECK(verdict.tally.faults == 2);
    CHECK(verdict.tally.restart_ms_max == 12);
  }
  SECTION("a refused event that is not there, and one the server appended itself") {
    Story story;
    story.send(1, 0).refuse(1, 0).logged(0, 9, 9, "client_connected");
    story.history.server_types = {"client_connected"};
    finds_only(story, {});
    CHECK(check(story.history).tally.refused == 1);
  }
  SECTION("a filtered client gets what matches, and its position passes what does not") {
    Story story;
    story.send(1, 0).ack(1, 0, 0).logged(0, 1, 0, "note");
    story.send(1, 1).ack(1, 1, 1).logged(1, 1, 1, "other");
    story.send(1, 2).ack(1, 2, 2).logged(2, 1, 2, "note");
    story.connect(1, 0, 0, {"other"}).position(1, 0, 1).deliver(1, 0, 1, 1, 1);
    story.position(1, 0, 3).finish(1);
    finds_only(story, {});
  }
  SECTION("two producers beside each other") {
    Story story;
    story.send(1, 0).send(2, 0).ack(2, 0, 0).ack(1, 0, 1).logged(0, 2, 0).logged(1, 1, 0);
    finds_only(story, {});
  }
  SECTION("what retention removed is not lost, and its gap is announced") {
    Story story;
    story.send(1, 0).ack(1, 0, 0).send(1, 1).ack(1, 1, 1).logged(1, 1, 1);
    story.history.kept_from = Offset(1);
    story.connect(1, 0, 0).gap(1, 0, 0, 1).deliver(1, 0, 1, 1, 1).finish(1);
    finds_only(story, {});
  }
  SECTION("an ack that names no offset") {
    Story story;
    story.send(1, 0).send(1, 1).ack(1, 1, 1).logged(0, 1, 0).logged(1, 1, 1);
    story.history.answers.push_back({1, 0, Outcome::ok, std::nullopt, "", 2'500});
    finds_only(story, {});
  }
  SECTION("a pending event comes after what another server's producers sent meanwhile") {
    Story story;
    story.send(1, 0).ack_pending(1, 0).send(2, 0).ack(2, 0, 0).logged(0, 2, 0).logged(1, 1, 0);
    finds_only(story, {});
  }
  SECTION("a log that others append to") {
    Story story;
    story.history.is_shared = true;
    story.send(1, 0).ack(1, 0, 10).logged(10, 1, 0).send(1, 1).ack(1, 1, 15).logged(15, 1, 1);
    story.connect(1, 0, 10).deliver(1, 0, 10, 1, 0).deliver(1, 0, 15, 1, 1).position(1, 0, 99);
    finds_only(story.finish(1), {});
  }
  SECTION("a group that crashed gets again what it had not committed") {
    Story story = three();
    story.join(0).process(0, 1, 0).process(1, 1, 1).commit(1).try_commit(2).fault();
    story.join(1).process(1, 1, 1).process(2, 1, 2).commit(3);
    finds_only(story, {});
  }
}

TEST_CASE("checker: the images of the log must agree", "[verify][checker]") {
  Story story = three();
  SECTION("one is shorter") {
    story.logged(0, 1, 0, "note", Image::offline).logged(1, 1, 1, "note", Image::offline);
    finds_only(story, {Check::images_agree}, "hold 3 and 2 events");
  }
  SECTION("one has another event") {
    story.logged(0, 1, 0, "note", Image::after_restart);
    story.logged(1, 1, 2, "note", Image::after_restart);
    story.logged(2, 1, 1, "note", Image::after_restart);
    finds_only(story, {Check::images_agree}, "offset 1 holds");
  }
}

TEST_CASE("checker: an acknowledged event that is gone is lost", "[verify][checker]") {
  Story story;
  SECTION("at the start") {
    story.send(1, 0).ack(1, 0, 0).appended(1, 1, 1);
    story.history.log[0].offset = Offset(1);
    finds_only(story, {Check::lost, Check::dense}, "before everything of it that survived");
    CHECK(check(story.history).tally.lost_prefix == 1);
  }
  SECTION("from the middle") {
    story.appended(0, 1, 0).send(1, 1).ack(1, 1, 1).appended(2, 1, 2);
    finds_only(story, {Check::lost, Check::dense}, "from the middle");
    CHECK(check(story.history).tally.lost_middle == 1);
  }
  SECTION("at the end") {
    story.appended(0, 1, 0).send(1, 1).ack(1, 1, 1);
    finds_only(story, {Check::lost}, "event 1 of producer 1");
    CHECK(check(story.history).tally.lost_postfix == 1);
  }
  SECTION("also if its ack named no offset") {
    story.appended(0, 1, 0).send(1, 1);
    story.history.answers.push_back({1, 1, Outcome::ok, std::nullopt, "", 99'000});
    finds_only(story, {Check::lost}, "was acknowledged and is not in the log");
  }
}

TEST_CASE("checker: a pending event must be in the log in the end, once", "[verify][checker]") {
  Story story;
  SECTION("lost") {
    story.appended(0, 1, 0).send(1, 1).ack_pending(1, 1);
    finds_only(story, {Check::lost}, "was acknowledged as pending and is not in the log");
  }
  SECTION("twice") {
    story.send(1, 0).ack_pending(1, 0).logged(0, 1, 0).logged(1, 1, 0);
    finds_only(story, {Check::duplicate}, "at offset 0 and again at 1");
  }
  SECTION("its producer's order is that of sending") {
    story.send(1, 0).ack_pending(1, 0).send(1, 1).ack(1, 1, 0).logged(0, 1, 1).logged(1, 1, 0);
    finds_only(story, {Check::producer_order}, "which was sent first");
  }
  SECTION("from its first ack with a place on it comes before what is sent later") {
    story.send(1, 0).ack_pending(1, 0).ack(1, 0, 1).ack_pending(1, 0);
    story.send(2, 0).ack(2, 0, 0).logged(0, 2, 0).logged(1, 1, 0);
    finds_only(story, {Check::real_time}, "but is at 0");
  }
}

TEST_CASE("checker: an event nobody sent is a phantom", "[verify][checker]") {
  finds_only(three().logged(3, 7, 7), {Check::phantom}, "offset 3");
}

TEST_CASE("checker: a refused event must not be read", "[verify][checker]") {
  finds_only(three().send(1, 3).refuse(1, 3).logged(3, 1, 3), {Check::aborted_read}, "was refused");
}

TEST_CASE("checker: an event twice in the log is a duplicate", "[verify][checker]") {
  finds_only(three().logged(3, 1, 1), {Check::duplicate}, "at offset 1 and again at 3");
}

TEST_CASE("checker: an offset means one event", "[verify][checker]") {
  Story story = three();
  SECTION("the ack named another offset than the log has") {
    story.send(2, 0).ack(2, 0, 1).logged(3, 2, 0);
    finds_only(story, {Check::offset_agreement}, "according to an ack");
  }
  SECTION("a consumer group was given another event") {
    story.join(0).process(0, 1, 1);
    finds_only(story, {Check::offset_agreement}, "according to a consumer group");
  }
}

TEST_CASE("checker: offsets have no holes", "[verify][checker]") {
  finds_only(three().appended(4, 1, 3), {Check::dense}, "after offset 2 the log continues at 4");
}

TEST_CASE("checker: what was acknowledged first comes first", "[verify][checker]") {
  Story story;
  story.send(1, 0).ack(1, 0, 1).send(2, 0).ack(2, 0, 0).logged(0, 2, 0).logged(1, 1, 0);
  finds_only(story, {Check::real_time}, "but is at 0");
}

TEST_CASE("checker: a producer's events keep their order", "[verify][checker]") {
  Story story;
  story.send(1, 0).send(1, 1).ack(1, 0, 1).ack(1, 1, 0).logged(0, 1, 1).logged(1, 1, 0);
  finds_only(story, {Check::producer_order}, "which was sent first");
}

TEST_CASE("checker: payloads come back byte for byte", "[verify][checker]") {
  Story story = three();
  SECTION("in the log") {
    story.history.log[1].digest[0] ^= 1U;
    finds_only(story, {Check::lossless}, "in the log");
  }
  SECTION("on the firehose") {
    story.connect(1, 0, 0).deliver(1, 0, 0, 1, 0);
    story.history.deliveries[0].digest[15] ^= 0x80U;
    finds_only(story, {Check::lossless}, "as delivered");
  }
}

TEST_CASE("checker: one event_id has one offset", "[verify][checker]") {
  finds_only(three().send(1, 1, 1).ack(1, 1, 7), {Check::idempotency},
             "acknowledged at offset 1 and later at 7");
}

TEST_CASE("checker: a connection skips, repeats and reorders nothing", "[verify][checker]") {
  Story story = three();
  story.connect(1, 0, 0);
  SECTION("skipped") {
    story.deliver(1, 0, 0, 1, 0).deliver(1, 0, 2, 1, 2);
    finds_only(story, {Check::stream_order}, "given offset 2 where 1 was next");
  }
  SECTION("repeated") {
    story.deliver(1, 0, 0, 1, 0).deliver(1, 0, 0, 1, 0);
    finds_only(story, {Check::stream_order}, "given offset 0 where 1 was next");
  }
  SECTION("reordered") {
    story.deliver(1, 0, 1, 1, 1).deliver(1, 0, 0, 1, 0);
    finds_only(story, {Check::stream_order});
  }
  SECTION("not started where asked") {
    story.deliver(1, 0, 1, 1, 1);
    finds_only(story, {Check::stream_order}, "given offset 1 where 0 was next");
  }
  SECTION("against the filter") {
    story.connect(2, 0, 0, {"other"}).deliver(2, 0, 0, 1, 0);
    finds_only(story, {Check::stream_order}, "where nothing was next");
  }
  SECTION("a live client, in the middle") {
    story.connect_live(2, 0).deliver(2, 0, 0, 1, 0).deliver(2, 0, 2, 1, 2);
    finds_only(story, {Check::stream_order}, "client 2");
  }
  SECTION("a gap is announced where there is none") {
    story.gap(1, 0, 0, 2).deliver(1, 0, 2, 1, 2);
    finds_only(story, {Check::stream_order}, "are gone, but the log has them");
  }
}

TEST_CASE("checker: a batch is there as one piece or not at all", "[verify][checker]") {
  Story story;
  SECTION("half of it") {
    story.send(1, 0, 0, 5).send(1, 1, 0, 5).no_answer(1, 0).no_answer(1, 1).logged(0, 1, 0);
    finds_only(story, {Check::atomic_batch}, "1 of its 2 events");
  }
  SECTION("with something in between") {
    story.send(1, 0, 0, 5).send(1, 1, 0, 5).send(2, 0).ack(1, 0, 0).ack(1, 1, 2).ack(2, 0, 1);
    story.logged(0, 1, 0).logged(1, 2, 0).logged(2, 1, 1);
    finds_only(story, {Check::atomic_batch}, "not next to each other");
  }
}

TEST_CASE("checker: a reconnect continues where it was", "[verify][checker]") {
  Story story = three();
  story.connect(1, 0, 0).deliver(1, 0, 0, 1, 0);
  SECTION("the server skipped") {
    story.connect(1, 1, 1).deliver(1, 1, 2, 1, 2);
    finds_only(story, {Check::resumable}, "just after it reconnected");
  }
  SECTION("the server repeated") {
    story.connect(1, 1, 1).deliver(1, 1, 0, 1, 0);
    finds_only(story, {Check::resumable}, "given offset 0 where 1 was next");
  }
  SECTION("the cursor had jumped") {
    story.connect(1, 1, 2).deliver(1, 1, 2, 1, 2);
    finds_only(story, {Check::resumable}, "without having been given offset 1");
  }
}

TEST_CASE("checker: what was seen before a crash stays", "[verify][checker]") {
  Story story = three();
  story.send(1, 3).connect(1, 0, 3).deliver(1, 0, 3, 1, 3).fault().no_answer(1, 3);
  SECTION("it is gone") { finds_only(story, {Check::unhappened}, "the log now holds nothing"); }
  SECTION("another took its place") {
    story.appended(3, 2, 0);
    finds_only(story, {Check::unhappened, Check::offset_agreement}, "was given");
  }
}

TEST_CASE("checker: positions are honest", "[verify][checker]") {
  Story story = three();
  story.connect(1, 0, 0);
  SECTION("ahead of what was delivered") {
    story.deliver(1, 0, 0, 1, 0).position(1, 0, 2);
    finds_only(story, {Check::progress}, "before it was given offset 1");
  }
  SECTION("backwards") {
    story.deliver(1, 0, 0, 1, 0).deliver(1, 0, 1, 1, 1).position(1, 0, 2).position(1, 0, 1);
    finds_only(story, {Check::progress}, "position 1, after 2");
  }
  SECTION("past the end") {
    story.connect(2, 0, 3).position(2, 0, 9);
    finds_only(story, {Check::progress}, "past the end of the log at 3");
  }
}

TEST_CASE("checker: a live client gets everything, and soon", "[verify][checker]") {
  Story story = three();
  story.connect(1, 0, 0).deliver(1, 0, 0, 1, 0).deliver(1, 0, 1, 1, 1);
  SECTION("never") { finds_only(story.finish(1), {Check::completeness}, "never got offset 2"); }
  SECTION("late") {
    story.fault().wait_seconds(31).deliver(1, 0, 2, 1, 2).finish(1);
    finds_only(story, {Check::completeness}, "too late");
  }
}

TEST_CASE("checker: a group resumes between its commits", "[verify][checker]") {
  Story story = three();
  story.join(0).process(0, 1, 0).commit(1);
  SECTION("behind the durable one") {
    finds_only(story.join(0), {Check::resume_point}, "resumed at 0");
  }
  SECTION("past the last attempted one") {
    finds_only(story.try_commit(2).join(3), {Check::resume_point, Check::processed},
               "resumed at 3");
  }
}

TEST_CASE("checker: a group gets everything, and again only what it had not committed",
          "[verify][checker]") {
  Story story = three();
  SECTION("skipped") {
    story.join(0).process(0, 1, 0).process(2, 1, 2).commit(3);
    finds_only(story, {Check::processed}, "never got offset 1");
  }
  SECTION("again after its commit") {
    story.join(0).process(0, 1, 0).commit(1).process(0, 1, 0);
    finds_only(story, {Check::processed}, "given offset 0 again");
  }
}

TEST_CASE("checker: commits do not pass the end of the log", "[verify][checker]") {
  finds_only(three().join(3).commit(4), {Check::commit_in_log}, "past the end of the log at 3");
}

TEST_CASE("checker: recovery keeps what it cuts and cuts nothing acknowledged",
          "[verify][checker]") {
  SECTION("bytes vanished") {
    finds_only(three().fault().recover(3, 100, 60), {Check::recovery}, "cut 100 bytes but kept 60");
  }
  SECTION("an acknowledged event was cut") {
    finds_only(three().fault().recover(2), {Check::recovery}, "below offset 2");
  }
  SECTION("what was acknowledged after the return says nothing") {
    const Story story = three().go_down().appended(3, 1, 3).recover(3);
    CHECK(check(story.history).count(Check::recovery) == 0);
  }
}

TEST_CASE("checker: examples are bounded, counts are not", "[verify][checker]") {
  Story story;
  for (std::uint64_t n = 0; n < 100; ++n) {
    story.send(1, n).ack(1, n, n);
  }
  const Verdict verdict = check(story.history);
  CHECK(verdict.count(Check::lost) == 100);
  CHECK(verdict.examples.size() == kExamplesPerCheck);
}
