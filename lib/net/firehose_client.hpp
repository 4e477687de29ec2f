// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consumers/group_registry.hpp"
#include "net/event_stream.hpp"
#include "net/firehose.hpp"
#include "net/firehose_message.hpp"
#include "net/firehose_page.hpp"
#include "net/firehose_query.hpp"
#include "net/outbox.hpp"

namespace vibes::net {

/// A point on Clock::steady_ns().
using SteadyNs = std::int64_t;

/// One client of the firehose. It is a place in the log and little else: what it has not been sent
/// yet is in the log or in the broadcaster's ring, never in a queue of its own. One write a turn,
/// at most one chunk (or one page) large: answers first, then pages, then events.
///
/// What a client sees is a *view*: it starts with the connection and anew with each set_filters.
/// Within a view the server sends every matching event once: those before the view's boundary in
/// pages, the others live.
class FirehoseClient final : public Endpoint {
 public:
  FirehoseClient(Connection& connection, FirehoseContext& context, FirehoseQuery query);

  void on_open() override;
  void on_message(std::string_view text) override;
  void on_writable() override;
  void on_timer() override;
  void on_log_moved() override;
  void on_stop() override;

 private:
  struct PageRequest {
    std::optional<event::Filter> new_filter;  // set_filters: begins a view
    std::optional<Uuid> before;
    std::size_t limit = limits::kPageEventsDefault;
  };
  struct ActivePage {
    FirehosePage page;
    Offset before;
    bool begins_view = false;
  };
  struct Farewell {
    CloseCode code = CloseCode::normal;
    std::string reason;
  };

  bool join_group();
  [[nodiscard]] consumers::SlotTable::Place place() const;
  void take_share();
  void enter_segment();
  void watch_lease();
  bool lease_has_expired();
  consumers::Membership::CommitDone answer_when_committed();
  [[nodiscard]] SteadyNs now() const { return context_.clock.steady_ns(); }
  void ask_to_write();
  void answer(std::string_view text);
  void refuse(std::string_view code, std::string_view message);
  void give_up(const Error& error);
  void close_after_answers(CloseCode code, std::string_view reason);

  void handle(SetFilters message);
  void handle(const FetchOlder& message);
  void handle(const CommitGroup& message);
  void handle(const RejectEvent& message);
  void handle(const Working& message);
  void handle(const BadMessage& message);

  void queue_page(PageRequest request);
  bool open_page();
  Result<Offset> page_start(const PageRequest& request);
  Offset begin_view();
  void step_page();

  [[nodiscard]] EventStream::Wanted wanted() const;
  [[nodiscard]] bool live_may_flow() const;
  bool has_more();
  bool has_work();
  void send_live();
  void look_for_end();
  void settle_until_time();
  void report_position(Offset end);
  void schedule();
  void balance_reading();
  void proceed();

  Connection& connection_;
  FirehoseContext& context_;
  consumers::Broadcaster::Attachment attachment_;
  FirehoseQuery query_;  // its filter is the one in force
  std::unique_ptr<consumers::SharedMembership> membership_;
  consumers::SlotTable::Share share_;      // of the group, since the last turn
  consumers::SlotTable::Segment segment_;  // where the stream is
  event::Filter share_filter_;             // query_'s, for the segment's slots
  std::optional<SteadyNs> lease_until_;    // while others wait for what this member was handed
  EventStream stream_;
  Outbox answers_;
  std::optional<Farewell> farewell_;

  std::vector<PageRequest> page_requests_;  // oldest first, limits::kPageRequestsQueued
  std::optional<ActivePage> page_;
  /// The oldest offset of this view that has been sent, or would have been had it matched.
  Offset view_oldest_;

  bool live_turn_ = false;  // pages of an old view and live events take turns
  bool asked_to_write_ = false;
  bool caught_up_ = false;  // since the last `position`
  bool reading_paused_ = false;
  std::optional<SteadyNs> held_until_;  // compatible mode: live events wait for the first message
  SteadyNs next_heartbeat_ = 0;
};

}  // namespace vibes::net
