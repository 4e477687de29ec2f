// SPDX-License-Identifier: MIT
#include "net/firehose_client.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "consumers/errc.hpp"
#include "consumers/session_links.hpp"
#include "net/firehose_frames.hpp"

namespace vibes::net {
namespace {

constexpr SteadyNs kNsPerMs = 1'000'000;
// An event that was stamped just before `until` may still be on its way to the disk.
constexpr std::int64_t kUntilGraceUs = 250'000;

SteadyNs ns(std::chrono::nanoseconds duration) { return duration.count(); }

std::string_view wire_code(const Error& error) {
  using Groups = consumers::Errc;
  using Log = eventlog::Errc;
  static const std::array<std::pair<std::error_code, std::string_view>, 10> kCodes{{
      {Groups::group_busy, "group_busy"},
      {Groups::live_group, "live_group"},
      {Groups::bad_reject, "bad_reject"},
      {Log::group_held, "group_busy"},
      {Log::unreachable, "engine_unreachable"},
      {Log::bad_group_name, "bad_group_name"},
      {Log::too_many_groups, "too_many_groups"},
      {Log::bad_commit, "bad_commit"},
      {Log::queue_full, "queue_full"},
      {Log::corrupt, "corrupt"},
  }};
  const auto* const found =
      std::ranges::find(kCodes, error.code, [](const auto& p) { return p.first; });
  return found == kCodes.end() ? "log_unreadable" : found->second;
}

}  // namespace

FirehoseClient::FirehoseClient(Connection& connection, FirehoseContext& context,
                               FirehoseQuery query)
    : connection_(connection),
      context_(context),
      attachment_(context.broadcaster.attach()),
      query_(std::move(query)),
      stream_(context.log, context.broadcaster, context.past, context.filtered, query_.start),
      view_oldest_(query_.start) {}

// --- What the connection tells us

void FirehoseClient::on_open() {
  if (!query_.group.empty() && !join_group()) {
    return;
  }
  if (query_.extended) {
    auto cursor = stream_.cursor();
    if (!cursor) {
      give_up(cursor.error());
      return;
    }
    answer(hello_text({context_.log.first(), context_.log.end(), *cursor, context_.server}));
    next_heartbeat_ = now() + ns(query_.heartbeat);
  } else {
    held_until_ = now() + ns(limits::kFirstMessageWithin);
  }
  schedule();
  proceed();
}

void FirehoseClient::on_message(std::string_view text) {
  held_until_.reset();
  if (lease_until_) {
    lease_until_ = now() + ns(limits::kLeaseFor);
  }
  std::visit([this](auto&& message) { handle(std::forward<decltype(message)>(message)); },
             parse_firehose_message(text));
  proceed();
}

void FirehoseClient::on_log_moved() {
  if (!asked_to_write_) {
    proceed();
  }
}

void FirehoseClient::on_writable() {
  asked_to_write_ = false;
  const bool page_waits = page_ || !page_requests_.empty();
  if (!answers_.empty()) {
    connection_.write_frames(answers_.take());
  } else if (page_waits && !(live_turn_ && live_may_flow())) {
    step_page();
    live_turn_ = true;
  } else if (!farewell_ && live_may_flow()) {
    send_live();
    live_turn_ = false;
    caught_up_ = caught_up_ && !has_more();
  }
  if (farewell_ && answers_.empty()) {
    connection_.close(farewell_->code, farewell_->reason);
    return;
  }
  proceed();
}

void FirehoseClient::on_timer() {
  if (held_until_ && now() >= *held_until_) {
    held_until_.reset();
  }
  if (lease_has_expired()) {
    return;
  }
  if (query_.extended && now() >= next_heartbeat_) {
    next_heartbeat_ = now() + ns(query_.heartbeat);
    if (!asked_to_write_) {  // a socket that takes nothing needs no more of it
      report_position(context_.log.end());
    }
  }
  schedule();
  proceed();
}

void FirehoseClient::on_stop() {
  connection_.close(CloseCode::going_away, "the server is stopping");
}

// --- What the client asks for

void FirehoseClient::handle(SetFilters message) {
  context_.links.widen(message.filter, message.reach);
  queue_page({std::move(message.filter), std::nullopt, limits::kPageEventsDefault});
}

void FirehoseClient::handle(const FetchOlder& message) {
  queue_page({std::nullopt, message.before, message.limit});
}

void FirehoseClient::handle(const CommitGroup& message) {
  if (membership_ == nullptr) {
    refuse("not_a_group", "commit is for a member of a group: connect with group=NAME");
    return;
  }
  const auto taken = membership_->commit(message.next, place(), answer_when_committed());
  if (!taken) {
    refuse(wire_code(taken.error()), taken.error().message());
  }
}

void FirehoseClient::handle(const RejectEvent& message) {
  if (membership_ == nullptr) {
    refuse("not_a_group", "reject is for a member of a group: connect with group=NAME");
    return;
  }
  const auto taken = membership_->reject(message.offset, place(), message.reason, message.attempts,
                                         answer_when_committed());
  if (!taken) {
    refuse(wire_code(taken.error()), taken.error().message());
  }
}

// That it came is what it says.
void FirehoseClient::handle(const Working& /*message*/) {}

void FirehoseClient::handle(const BadMessage& message) { refuse(message.code, message.message); }

void FirehoseClient::queue_page(PageRequest request) {
  page_requests_.push_back(std::move(request));
  balance_reading();
}

// --- Groups

bool FirehoseClient::join_group() {
  auto joined =
      context_.groups.share(query_.group, query_.first_start,
                            [this, post = connection_.poster()] { post([this] { proceed(); }); });
  if (!joined) {
    const std::string_view code = wire_code(joined.error());
    const bool busy = code == "group_busy";
    refuse(code, joined.error().message());
    close_after_answers(busy ? CloseCode::group_busy : CloseCode::policy, "cannot join the group");
    return false;
  }
  membership_ = *std::move(joined);
  share_filter_ = query_.filter;
  query_.start = membership_->start();
  stream_.seek(query_.start);
  view_oldest_ = query_.start;
  return true;
}

consumers::SlotTable::Place FirehoseClient::place() const {
  return {stream_.next(), stream_.handed()};
}

// Other members come and go: what this one is handed changes between two of its turns, never in
// one.
void FirehoseClient::take_share() {
  if (membership_ == nullptr || farewell_) {
    return;
  }
  const bool waited = share_.waits;
  share_ = membership_->sync(place());
  if (share_.seek) {
    stream_.seek(*share_.seek);
  }
  if (share_.slots == 0 && !share_.pending) {
    stream_.seek(std::max(stream_.next(), context_.log.end()));  // nothing of it is for this one
  }
  enter_segment();
  if (share_.changed) {
    caught_up_ = false;
    const auto slots = static_cast<std::size_t>(std::popcount(share_.slots));
    answer(assigned_text(slots, share_.members, stream_.next()));
  }
  if (share_.waits && !waited && share_.slots != 0) {
    report_position(context_.log.end());  // whoever commits now and then does it now
  }
  watch_lease();
}

// Where slots of the share begin further on, the stream is served piece by piece.
void FirehoseClient::enter_segment() {
  const auto segment = membership_->segment(stream_.next());
  if (segment.slots != segment_.slots) {
    stream_.filter_changes();
    share_filter_ = query_.filter;
    share_filter_.keep_slots(segment.slots);
  }
  segment_ = segment;
}

void FirehoseClient::watch_lease() {
  if (!membership_->holds_others_back(place())) {
    lease_until_.reset();
  } else if (!lease_until_) {
    lease_until_ = now() + ns(limits::kLeaseFor);
    schedule();
  }
}

// Its share goes to the others at once, whatever the socket takes.
bool FirehoseClient::lease_has_expired() {
  if (!lease_until_ || now() < *lease_until_) {
    return false;
  }
  farewell_ = Farewell{CloseCode::lease_expired, "other members wait for what this one was handed"};
  lease_until_.reset();
  membership_.reset();
  connection_.close(farewell_->code, farewell_->reason);
  return true;
}

// The registry's thread says when; the connection's own thread answers, if there still is one.
consumers::Membership::CommitDone FirehoseClient::answer_when_committed() {
  return [this, post = connection_.poster()](Result<Offset> committed) {
    post([this, committed = std::move(committed)] {
      if (committed) {
        answer(committed_text(query_.group, *committed));
      } else {
        refuse(wire_code(committed.error()), committed.error().message());
      }
    });
  };
}

// --- Pages

// A view begins where the page ends and live events go on. That is the log's end, unless more
// events are on their way to this client than the page holds: then it is where the client stands,
// so that nothing falls between the two.
Offset FirehoseClient::begin_view() {
  const Offset end = context_.log.end();
  if (end > stream_.next() && end - stream_.next() <= limits::kPageEventsDefault && !query_.until) {
    stream_.seek(end);
  }
  view_oldest_ = stream_.next();
  return view_oldest_;
}

Result<Offset> FirehoseClient::page_start(const PageRequest& request) {
  if (request.new_filter) {
    query_.filter = *request.new_filter;
    share_filter_ = query_.filter;
    share_filter_.keep_slots(segment_.slots);
    stream_.filter_changes();
    return begin_view();
  }
  if (request.before) {
    return context_.log.resolve(eventlog::AtEventId{*request.before});
  }
  return view_oldest_;
}

bool FirehoseClient::open_page() {
  const PageRequest request = std::move(page_requests_.front());
  page_requests_.erase(page_requests_.begin());
  if (page_requests_.empty()) {
    page_requests_.shrink_to_fit();
  }
  const auto before = page_start(request);
  if (!before) {
    if (before.error().code == eventlog::Errc::not_found) {
      refuse("unknown_event", "fetch_older: no event has the id " + to_string(*request.before));
    } else {
      refuse(wire_code(before.error()), before.error().message());
    }
    return false;
  }
  auto page = FirehosePage::open(context_.log, query_.filter, *before, request.limit);
  if (!page) {
    refuse(wire_code(page.error()), page.error().message());
    return false;
  }
  page_.emplace(ActivePage{*std::move(page), *before, request.new_filter.has_value()});
  return true;
}

void FirehoseClient::step_page() {
  if (!page_ && !open_page()) {
    return;
  }
  const auto state = page_->page.step();
  if (!state) {
    refuse(wire_code(state.error()), state.error().message());
    page_.reset();
  } else if (*state == FirehosePage::State::complete) {
    if (page_->before >= view_oldest_) {
      view_oldest_ = std::min(view_oldest_, page_->page.oldest());
    }
    connection_.write_text(page_->page.text());
    page_.reset();
  }
}

// --- Live events, and those that come before them

EventStream::Wanted FirehoseClient::wanted() const {
  if (membership_ == nullptr) {
    return {.filter = query_.filter, .until = query_.until, .shape = query_.shape};
  }
  std::optional<Offset> until = query_.until;
  if (segment_.until) {
    until = std::min(until.value_or(*segment_.until), *segment_.until);
  }
  return {.filter = share_filter_, .until = until, .shape = query_.shape};
}

bool FirehoseClient::has_more() {
  while (!stream_.has_more(wanted())) {
    if (membership_ == nullptr || !segment_.until || stream_.next() < *segment_.until) {
      return false;
    }
    enter_segment();
  }
  return true;
}

// The page that begins a view replaces what the client shows: live events of that view come after
// it.
bool FirehoseClient::live_may_flow() const {
  return !held_until_ && !farewell_ && !share_.waits && !(page_ && page_->begins_view);
}

void FirehoseClient::send_live() {
  // One for all clients of a net thread: what a turn makes is written before the turn ends.
  static thread_local std::string scratch;
  constexpr std::string_view kBatchHead = R"({"type":"events","events":[)";
  const bool batch = query_.shape == consumers::Broadcaster::Shape::envelopes;
  scratch.assign(batch ? kBatchHead : std::string_view());

  EventStream::Wanted request = wanted();
  constexpr std::size_t kBatchFrameBytes = 64;  // head, tail and frame header
  request.bytes_max -= batch ? kBatchFrameBytes : 0;
  auto turn = stream_.turn(request, scratch);
  if (!turn) {
    give_up(turn.error());
  } else if (turn->gap) {
    answer(gap_text(*turn->gap));
  } else if (!turn->bytes.empty()) {
    if (batch) {
      scratch += "]}";
      connection_.write_text(scratch);
    } else if (const auto place = turn->memory ? turn->memory->place(turn->bytes) : std::nullopt) {
      connection_.write_pages(turn->bytes, *place);
    } else {
      connection_.write_frames(turn->bytes);
    }
  }
  if (scratch.capacity() > 4 * limits::kWriteChunkBytes) {
    scratch = std::string();  // one large event is no reason to keep so much
  }
}

void FirehoseClient::settle_until_time() {
  if (!query_.until_time) {
    return;
  }
  const Timestamp time = *query_.until_time;
  // In this order: what is in the log before we look at the clock is older than what the clock
  // says.
  const Offset end = context_.log.end();
  const Timestamp now = context_.clock.now();
  if (now < time) {
    query_.until = end;
    return;
  }
  auto until = context_.log.resolve(eventlog::AtTime{time});
  if (!until) {
    give_up(until.error());
    return;
  }
  query_.until = std::min(*until, end);
  if (*until < end || now.unix_us >= time.unix_us + kUntilGraceUs) {
    query_.until_time.reset();
  }
}

void FirehoseClient::look_for_end() {
  if (query_.extended && query_.until && !query_.until_time && stream_.next() >= *query_.until) {
    answer(end_text());
    close_after_answers(CloseCode::normal, "until is reached");
  }
}

// --- Keeping going

bool FirehoseClient::has_work() {
  return !answers_.empty() || farewell_ || page_ || !page_requests_.empty() ||
         (live_may_flow() && has_more());
}

// Ends every turn: finds out what there is to do and asks for the next one.
void FirehoseClient::proceed() {
  settle_until_time();
  take_share();
  if (live_may_flow() && !has_more()) {
    look_for_end();
    const Offset end = context_.log.end();
    const bool at_end = stream_.next() >= end && !share_.pending;
    if (query_.extended && !farewell_ && !caught_up_ && at_end) {
      caught_up_ = true;
      report_position(end);
    }
  }
  balance_reading();
  if (has_work()) {
    ask_to_write();
  }
}

void FirehoseClient::report_position(Offset end) {
  auto cursor = stream_.cursor();
  if (!cursor) {
    give_up(cursor.error());
    return;
  }
  const Reached reached = share_.pending ? Reached::more_comes : Reached::position;
  answer(position_text(*cursor, std::max(end, cursor->next), reached));
}

void FirehoseClient::ask_to_write() {
  if (!asked_to_write_) {
    asked_to_write_ = true;
    connection_.request_write();
  }
}

void FirehoseClient::answer(std::string_view text) {
  answers_.add(text);
  ask_to_write();
}

void FirehoseClient::refuse(std::string_view code, std::string_view message) {
  answer(error_text(code, message));
}

// The log cannot be read where this client stands: it is told what and why, and nothing is skipped.
void FirehoseClient::give_up(const Error& error) {
  refuse(wire_code(error), error.message());
  close_after_answers(
      error.code == eventlog::Errc::corrupt ? CloseCode::position_unusable : CloseCode::internal,
      "the log cannot be read");
}

void FirehoseClient::close_after_answers(CloseCode code, std::string_view reason) {
  if (!farewell_) {
    farewell_ = Farewell{code, std::string(reason)};
    ask_to_write();
  }
}

void FirehoseClient::schedule() {
  std::optional<SteadyNs> next = held_until_;
  const auto also = [&next](SteadyNs at) { next = std::min(next.value_or(at), at); };
  if (query_.extended) {
    also(next_heartbeat_);
  }
  if (lease_until_) {
    also(*lease_until_);
  }
  if (query_.until_time) {
    const std::int64_t left_us =
        query_.until_time->unix_us + kUntilGraceUs - context_.clock.now().unix_us;
    also(now() + std::max<std::int64_t>(left_us * 1'000, kNsPerMs));
  }
  if (!next) {
    connection_.set_timer(std::nullopt);
    return;
  }
  const SteadyNs left_ms = (*next - now() + kNsPerMs - 1) / kNsPerMs;
  connection_.set_timer(std::chrono::milliseconds(std::max<SteadyNs>(left_ms, 0)));
}

void FirehoseClient::balance_reading() {
  const bool full = page_requests_.size() >= limits::kPageRequestsQueued ||
                    answers_.bytes() >= limits::kAnswersBytesQueued;
  const bool low = page_requests_.size() <= limits::kPageRequestsQueued / 2 &&
                   answers_.bytes() <= limits::kAnswersBytesQueued / 2;
  if (full && !reading_paused_) {
    reading_paused_ = true;
    connection_.pause_reading();
  } else if (low && reading_paused_) {
    reading_paused_ = false;
    connection_.resume_reading();
  }
}

}  // namespace vibes::net
