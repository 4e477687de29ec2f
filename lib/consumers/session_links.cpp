// SPDX-License-Identifier: MIT
#include "consumers/session_links.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/thread_priority.hpp"
#include "consumers/waiter.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {

namespace {

// How often the thread looks at a log that does not stand still.
constexpr std::chrono::milliseconds kLookEvery{1'000};
constexpr std::chrono::hours kNoTimeout{24};

event::Filter links_only() {
  auto filter = event::Filter::make({"session_linked"}, std::nullopt);
  VIBES_ASSERT(filter.has_value());
  return *std::move(filter);
}

bool is_session(std::string_view id) {
  return !id.empty() && id.size() <= limits::kSessionBytesMax;
}

}  // namespace

/// What a filter's session stands for. Asks the links again whenever one has come.
class SessionLinks::Scope final : public event::SessionScope {
 public:
  Scope(SessionLinks& links, std::string session, event::Reach reach)
      : links_(links), session_(std::move(session)), reach_(reach) {}

  [[nodiscard]] bool contains(std::string_view session) const override {
    if (session == session_) {
      return true;
    }
    if (session.empty()) {
      return false;
    }
    links_.catch_up();
    const MutexLock lock(mutex_);
    if (const std::uint64_t version = links_.version_.load(); version != seen_) {
      related_ = links_.related(session_, reach_);
      seen_ = version;
    }
    return related_.contains(session);
  }

 private:
  SessionLinks& links_;
  const std::string session_;
  const event::Reach reach_;
  mutable Mutex mutex_;
  mutable Sessions related_ VIBES_GUARDED_BY(mutex_);
  mutable std::uint64_t seen_ VIBES_GUARDED_BY(mutex_) = 0;
};

SessionLinks::SessionLinks(eventlog::EventLog& log)
    : log_(log),
      only_links_(links_only()),
      thread_([this](const std::stop_token& stop) { follow(stop); }) {}

SessionLinks::~SessionLinks() = default;

void SessionLinks::widen(event::Filter& filter, event::Reach reach) {
  if (const auto& session = filter.session()) {
    filter.widen(std::make_shared<Scope>(*this, *session, reach));
  }
}

SessionLinks::Sessions SessionLinks::related(const std::string& session, event::Reach reach) {
  catch_up();
  const MutexLock lock(mutex_);
  Sessions found{session};
  std::vector<std::string> open{session};
  while (!open.empty()) {
    const auto edges = edges_.find(open.back());
    open.pop_back();
    if (edges == edges_.end()) {
      continue;
    }
    for (const auto& [other, kind] : edges->second) {
      if ((kind == Kind::same || reach == event::Reach::tree) && found.insert(other).second) {
        open.push_back(other);
      }
    }
  }
  return found;
}

void SessionLinks::catch_up() {
  while (step()) {
  }
}

/// False: at the end. A log that cannot be read counts as that; the next call tries again.
bool SessionLinks::step() {
  if (position_.load() >= log_.end().value()) {
    return false;
  }
  const MutexLock lock(mutex_);
  const std::uint64_t before = position_.load();
  if (!read_slice()) {
    reader_.reset();
  }
  return position_.load() != before;
}

Result<void> SessionLinks::read_slice() {
  if (reader_ == nullptr) {
    VIBES_TRY_ASSIGN(opened, log_.reader(eventlog::Beginning{}));
    reader_ = std::move(opened);
    reader_->seek(std::max(Offset(position_.load()), reader_->position()));
  }
  eventlog::ReadRequest request;
  request.scan_bytes_max = limits::kScanSliceBytes;
  request.filter = &only_links_;
  VIBES_TRY_ASSIGN(batch, reader_->read(request));
  event::PayloadReader payloads;
  for (const event::EventView& linked : batch.events) {
    take(linked, payloads);
  }
  position_ = reader_->position().value();
  return {};
}

void SessionLinks::take(const event::EventView& linked, event::PayloadReader& payloads) {
  const event::PayloadValue payload = payloads.read(linked.payload);
  const std::string_view lower = payload.text("linked_session_id");
  if (is_session(linked.session) && is_session(lower)) {
    const bool subagent = payload.text("relation") == "subagent";
    add({linked.session, lower,
         subagent ? event::SessionRelation::subagent : event::SessionRelation::agent});
  }
}

void SessionLinks::add(const event::SessionLink& link) {
  if (links_ >= limits::kSessionLinksMax) {
    return;
  }
  const bool child = link.relation == event::SessionRelation::subagent;
  const bool is_new = edges_[std::string(link.session)]
                          .emplace(std::string(link.linked), child ? Kind::child : Kind::same)
                          .second;
  if (!child) {
    edges_[std::string(link.linked)].emplace(std::string(link.session), Kind::same);
  }
  if (is_new) {
    ++links_;
    ++version_;
  }
}

void SessionLinks::follow(const std::stop_token& stop) {
  step_back();
  while (!stop.stop_requested()) {
    if (!step()) {
      log_.signal().wait_beyond(Offset(position_.load()), stop, kNoTimeout);
      system_waiter().wait(kLookEvery, stop);
    }
  }
}

}  // namespace vibes::consumers
